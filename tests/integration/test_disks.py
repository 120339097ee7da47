"""File systems that refuse: full, read-only. Real mounts, in a mount namespace of the run's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.system

BIG = FakeModule("example.com/big", "v1.0.0", padding=300_000)
SMALL = FakeModule("example.com/small", "v1.0.0")
MODULES = (BIG, SMALL)

FULL = 'mount -t tmpfs -o size=128k none "$AT"'
READ_ONLY = 'mount --bind "$AT" "$AT" && mount -o remount,ro,bind "$AT"'


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    try:
        subprocess.run(["unshare", "--map-root-user", "--mount", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no mount namespace can be made here: {error}")


def prefetch_with(bench: Workbench, mount: str, at: Path, goproxy: str) -> tuple[Result, set[str]]:
    """Run with that mount at `at`; also the names of all files that were there in the end, before it went away."""
    at.mkdir(exist_ok=True)
    listing = bench.folder / "listing"
    script = f'{mount} || exit 99; "$@"; status=$?; cd "$AT" && find . -type f >"$LISTING"; exit $status'
    run = [*bench.command, "run", "--store", f"dir:{bench.pool}", "--report-file", str(bench.report_file), "--quiet"]
    result = bench.program(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *run],
        AT=str(at), LISTING=str(listing), GOPROXY=goproxy,
    )  # fmt: skip
    return result, {line.removeprefix("./") for line in listing.read_text().splitlines()}


def test_a_pool_on_a_full_disk_is_a_warning(bench: Workbench) -> None:
    """Status 0; what did not fit leaves no half file."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result, held = prefetch_with(bench, FULL, bench.pool, proxy.url)
        assert result.status == 0, result.text
        assert bench.warnings == ["store-unwritable"]
        assert held <= set(proxy.files) - {"example.com/big/@v/v1.0.0.zip"}
    assert bench.go("mod", "verify").status == 0


def test_a_read_only_pool_is_a_warning(bench: Workbench) -> None:
    """Status 0, nothing saved."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result, held = prefetch_with(bench, READ_ONLY, bench.pool, proxy.url)
    assert result.status == 0, result.text
    assert bench.warnings == ["store-unwritable"]
    assert held == set()


def test_a_read_only_pool_that_has_everything_is_a_silent_hit(bench: Workbench) -> None:
    """A pool that others fill need not be writable."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
    bench.forget_modcache()
    result, _ = prefetch_with(bench, READ_ONLY, bench.pool, "off")
    assert result.status == 0, result.text
    assert result.stderr == ""
    assert bench.outputs["cache-result"] == "exact"


def test_pool_on_a_failing_disk_is_a_miss_with_a_warning(bench: Workbench) -> None:
    """Reading the memory of a process from its beginning is an I/O error, as that of a broken disk."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
        bench.forget_modcache()
        broken = f'mount --bind /proc/$$/mem "{bench.pool}/example.com/big/@v/v1.0.0.zip"'
        result, _ = prefetch_with(bench, broken, bench.pool, proxy.url)
    assert result.status == 0, result.text
    assert bench.outputs["cache-result"] == "partial"
    assert "Input/output error" in result.text
    assert str(bench.pool) in result.text
    assert bench.warnings[0] == "store-unreadable"


@pytest.mark.parametrize("warm", [False, True], ids=["empty pool", "filled pool"])
@pytest.mark.parametrize(
    ("mount", "slug"), [(FULL, "disk-full"), (READ_ONLY, "folder-unwritable")], ids=["full", "read-only"]
)
def test_a_module_cache_that_takes_nothing_fails_the_run(
    bench: Workbench, mount: str, slug: str, *, warm: bool
) -> None:
    """Exit 5 in at most three lines and a link, and no half file, whether the store or the proxies have the files."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        if warm:
            assert bench.prefetch(goproxy=proxy.url).status == 0
            bench.forget_modcache()
        result, held = prefetch_with(bench, mount, bench.modcache, proxy.url)
    assert result.status == 5, result.text
    assert bench.report["failure"]["slug"] == slug
    assert len(result.stderr.splitlines()) <= 4
    assert not any(name.endswith((".tmp", "big/@v/v1.0.0.zip")) for name in held)


def test_zips_above_half_of_the_disk_stay_in_the_pool(bench: Workbench) -> None:
    """Four wrong zips are larger than the disk. The right ones are small, and find room."""
    modules = [FakeModule(f"example.com/m{number}", "v1.0.0", padding=100_000) for number in range(4)]
    bench.write_project(modules)
    write_proxy_folder(bench.pool, [FakeModule(m.path, m.version, padding=7_000_000) for m in modules])
    with ModuleProxy(modules) as proxy:
        result, _ = prefetch_with(bench, 'mount -t tmpfs -o size=24m none "$AT"', bench.modcache, proxy.url)
    assert result.status == 0, result.text
    assert (bench.warnings[0], bench.report["restore"]["files"]) == ("store-no-room", 9)


def test_zips_larger_than_the_disk_take_no_room_from_others(bench: Workbench) -> None:
    """A pool of bombs: nothing of them is unpacked before Go has looked at them, and the run succeeds."""
    modules = [FakeModule(f"example.com/m{number}", "v1.0.0", padding=300_000) for number in range(8)]
    bench.write_project(modules)
    for module in modules:
        bomb = FakeModule(module.path, module.version, files={f"{n}.txt": bytes(4_000_000) for n in range(2)})
        write_proxy_folder(bench.pool, [bomb])
    with ModuleProxy(modules) as proxy:
        for number in range(4):
            (bench.pool / f"example.com/m{number}/@v/v1.0.0.zip").unlink()
        mount = 'mount -t tmpfs -o size=24m none "$AT"'
        result, _ = prefetch_with(bench, mount, bench.modcache, proxy.url)
    assert result.status == 0, result.text
