"""An entry of the cache service, poisoned to fill the disk."""

from __future__ import annotations

import pytest

from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.stores.cache_service.module_archive import write_archive
from tests.integration.test_disks import _namespaces
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.service_job import MAIN, Job
from tests.support.service_shelf import ENCODINGS, Shelf
from tests.support.workbench import Workbench

__all__ = ["_namespaces"]  # the fixture

pytestmark = pytest.mark.system


@pytest.mark.nightly
def test_an_entry_that_fills_most_of_the_disk_stays_where_it_is(bench: Workbench) -> None:
    """A wrong zip of 140 MB, and a disk of 200 MB that has room for all that is right."""
    small = FakeModule("example.com/small", "v1.0.0")
    others = [FakeModule(f"example.com/m{number}", "v1.0.0", padding=31_000_000) for number in range(3)]
    with CacheService(MAIN) as service, ModuleProxy([small, *others]) as proxy:
        Job(bench, service, proxy)(small, *others)
        wrong = FakeModule(small.path, small.version, padding=140_000_000)
        origin = bench.folder / "origin"
        write_proxy_folder(origin, [wrong])
        shelf = Shelf(service, bench.folder / "shelf", (wrong,), encoding=ENCODINGS["zstd"])
        (entry,) = service.entries
        out = bench.folder / "poisoned"
        with out.open("wb") as archive:
            write_archive(archive, ModuleFolder.at(origin), shelf.wanted, shelf.encoding)
        entry.data = out.read_bytes()
        bench.forget_modcache()
        bench.modcache.mkdir()
        script = 'mount -t tmpfs -o size=200m none "$AT" || exit 99; exec "$@"'
        run = [*bench.command, "run", "--store", "github", "--save", "false"]
        result = bench.program(
            ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *run],
            AT=str(bench.modcache), GOPROXY=proxy.url, **service.v2(MAIN.text, run="2"),
        )  # fmt: skip
    assert result.status == 0, result.text
    assert "[store-no-room]" in result.stderr
