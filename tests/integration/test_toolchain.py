"""The Go toolchain that go.mod selects: planned, downloaded and stored as modules are, and verified by Go."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from go_prefetch.golang.modcache import TOOLCHAINS_FOLDER, ModuleFile
from go_prefetch.golang.module import TOOLCHAIN, ModuleVersion
from go_prefetch.model.cache_key import toolchain_key
from go_prefetch.prune.pool import list_modules, remove
from go_prefetch.stores.directory_pool import keep_to
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.checksum_database import checksum_database
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.fakes.toolchain import NAME, toolchain
from tests.support.service_job import MAIN
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake toolchain is a shell script")

LIB = FakeModule("example.com/lib", "v1.2.3")


@dataclass
class Site:
    """A project that asks for a toolchain, the proxy that has it, and the checksum database."""

    bench: Workbench
    proxy: ModuleProxy
    good: FakeModule
    evil: FakeModule
    gosumdb: str

    @property
    def zip_name(self) -> str:
        return f"golang.org/toolchain/@v/{self.good.version}.zip"

    @property
    def pooled(self) -> Path:
        return self.bench.pool / TOOLCHAINS_FOLDER / self.zip_name

    @property
    def cached(self) -> Path:
        return self.bench.download_folder / self.zip_name

    def run(self, *flags: str, **variables: str) -> Result:
        """A run in a fresh job: nothing is in the module cache."""
        self.bench.forget_modcache()
        self.proxy.clear()
        return self.again(*flags, **variables)

    def again(self, *flags: str, **variables: str) -> Result:
        given = {"goproxy": self.proxy.url, "GOSUMDB": self.gosumdb, "GOTOOLCHAIN": "auto", **variables}
        return self.bench.prefetch(*flags, TOOLCHAIN_LOG=str(self.log), **given)

    @property
    def log(self) -> Path:
        return self.bench.folder / "toolchain.log"

    @property
    def ran(self) -> set[str]:
        """What the toolchains that ran have said."""
        return set(self.log.read_text().split()) if self.log.exists() else set()

    def requested(self) -> list[str]:
        return [path for path in self.proxy.paths() if path.startswith("golang.org/toolchain/")]


@pytest.fixture
def site(bench: Workbench) -> Iterator[Site]:
    """A project with `toolchain go1.99.0`, and one module."""
    bench.write_project([LIB])
    gomod = bench.project / "go.mod"
    gomod.write_text(gomod.read_text().replace("\ngo ", f"\ntoolchain {NAME}\n\ngo "))
    good, evil = toolchain(), toolchain("evil")
    database = checksum_database([good])
    with ModuleProxy([LIB, good]) as proxy:
        proxy.files |= database.files
        yield Site(bench, proxy, good, evil, database.gosumdb(proxy.url))


def test_run_with_a_newer_toolchain_downloads_and_stores_it(site: Site) -> None:
    """Go checks it against the checksum database and runs it. The next job takes it from the pool."""
    cold = site.run()
    assert cold.status == 0, cold.text
    assert site.requested() == [site.zip_name]
    assert site.ran == {"good"}
    assert site.pooled.read_bytes() == site.good.zip
    assert site.bench.outputs["cache-result"] == "miss"
    assert int(site.bench.outputs["bytes-downloaded"]) >= len(site.good.zip)

    warm = site.run()
    assert warm.status == 0, warm.text
    assert site.requested() == []
    assert site.bench.outputs["cache-result"] == "exact"
    assert site.bench.outputs["bytes-downloaded"] == "0"
    assert [path for path in site.proxy.paths() if "/lookup/golang.org/toolchain@" in path]

    site.proxy.clear()
    present = site.again()
    assert present.status == 0, present.text
    assert site.proxy.paths() == []
    assert site.bench.outputs["cache-result"] == "present"


def plant_evil_zip_and_good_ziphash(site: Site) -> None:
    """Go alone unpacks this zip and runs it."""
    site.cached.parent.mkdir(parents=True)
    site.cached.write_bytes(site.evil.zip)
    site.cached.with_suffix(".ziphash").write_text(site.good.h1_zip)


def plant_evil_tree(site: Site) -> None:
    """Go alone hashes the zip, and keeps this tree."""
    tree = site.bench.modcache / f"golang.org/toolchain@{site.good.version}"
    for name, content in site.evil.contents.items():
        path = tree / name.partition("/")[2].partition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755)


def plant_evil_tree_and_good_zip(site: Site) -> None:
    """The same, and no `.ziphash`."""
    plant_evil_tree(site)
    site.cached.parent.mkdir(parents=True)
    site.cached.write_bytes(site.good.zip)


def plant_evil_tree_and_good_ziphash(site: Site) -> None:
    """Go alone does not even ask for the zip."""
    plant_evil_tree(site)
    site.cached.parent.mkdir(parents=True)
    site.cached.with_suffix(".ziphash").write_text(site.good.h1_zip)


PLANTED = (
    plant_evil_zip_and_good_ziphash, plant_evil_tree, plant_evil_tree_and_good_zip, plant_evil_tree_and_good_ziphash,
)  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED)
def test_run_never_runs_a_planted_toolchain(site: Site, plant: Callable[[Site], None]) -> None:
    """What lies in the module cache without proof is hashed by Go, or replaced."""
    plant(site)
    result = site.again()
    assert result.status == 0, result.text
    assert site.ran == {"good"}
    assert site.cached.read_bytes() == site.good.zip
    assert not [path for path in site.bench.modcache.rglob("bin/go") if b"evil" in path.read_bytes()]


def test_run_replaces_a_tampered_toolchain_of_the_pool(site: Site) -> None:
    """Go refuses it by the checksum database. The proxy's is taken, and replaces it in the pool."""
    site.pooled.parent.mkdir(parents=True)
    site.pooled.write_bytes(site.evil.zip)
    site.pooled.with_suffix(".ziphash").write_text(site.good.h1_zip)
    result = site.run()
    assert result.status == 0, result.text
    assert site.ran == {"good"}
    assert site.requested() == [site.zip_name]
    assert "files-rejected" in site.bench.warnings
    assert site.pooled.read_bytes() == site.good.zip


def test_run_replaces_a_damaged_toolchain_of_the_pool(site: Site) -> None:
    """Its directory is whole, and one of its files cannot be inflated. Go names the toolchain, not the module."""
    site.pooled.parent.mkdir(parents=True)
    at = site.good.zip.index(b"bin/go") + 20
    site.pooled.write_bytes(site.good.zip[:at] + bytes(20) + site.good.zip[at + 20 :])
    result = site.run()
    assert result.status == 0, result.text
    assert site.ran == {"good"}
    assert site.pooled.read_bytes() == site.good.zip


def test_run_fails_where_every_toolchain_is_wrong(site: Site) -> None:
    """None of them runs, stays in the module cache or reaches the pool."""
    site.proxy.files[site.zip_name] = site.evil.zip
    result = site.run()
    assert result.status == 5
    assert "checksum-mismatch" in result.text
    assert site.ran == set()
    assert not site.cached.exists()
    assert not site.pooled.exists()


def test_run_without_a_checksum_database_saves_nothing(site: Site) -> None:
    """Go refuses the toolchain, and the error names the database. The zip that no one has compared is removed."""
    site.proxy.fault("sumdb/*", Fault.UNAVAILABLE)
    result = site.run("--attempts", "1")
    assert result.status == 4
    assert ("go-failed", "toolchain-unverified") in {(notice.slug, notice.case) for notice in result.notices}
    assert site.ran == set()
    assert not site.pooled.exists()
    assert not site.cached.exists()


NOTHING_PLANNED = {
    "local": {"GOTOOLCHAIN": "local"},
    "path": {"GOTOOLCHAIN": "path"},
}


@pytest.mark.parametrize("variables", NOTHING_PLANNED.values(), ids=NOTHING_PLANNED)
def test_run_plans_no_toolchain_that_go_does_not_download(site: Site, variables: dict[str, str]) -> None:
    """GOTOOLCHAIN decides."""
    site.run(**variables)
    assert site.requested() == []
    assert not site.pooled.exists()


def test_run_with_a_lone_folder_as_goproxy_plans_no_toolchain(site: Site) -> None:
    """Go would not compare it with the checksum database, and no toolchain of a store may be used then."""
    site.pooled.parent.mkdir(parents=True)
    site.pooled.write_bytes(site.evil.zip)
    folder = site.bench.folder / "proxy"
    write_proxy_folder(folder, [LIB])
    result = site.run(goproxy=folder.as_uri())
    assert result.status == 4
    assert ("go-failed", "no-toolchain") in {(notice.slug, notice.case) for notice in result.notices}
    assert site.ran == set()


@pytest.mark.parametrize("fault", [Fault.BAD_GATEWAY, Fault.STALL_IN_BODY])
def test_run_retries_a_toolchain_and_takes_the_next_proxy(site: Site, fault: Fault) -> None:
    """As for every file. Go alone waits for a silent proxy, and never asks the second."""
    with ModuleProxy([LIB, site.good]) as first:
        first.fault("golang.org/toolchain/*", fault)
        flags = ("--attempts", "2", "--stall-timeout", "0.5s")
        result = site.run(*flags, goproxy=f"{first.url}|{site.proxy.url}")
    assert result.status == 0, result.text
    assert site.ran == {"good"}
    assert site.requested() == [site.zip_name]


def test_cache_service_keeps_a_toolchain_in_an_entry_of_its_own(site: Site) -> None:
    """The key of the modules is that of a job with a new enough Go, so both kinds of job share them."""
    with CacheService(MAIN) as service:
        offered = service.v2(MAIN.text, run="1")
        cold = site.run("--store", "github", **offered)
        assert cold.status == 0, cold.text
        ours = toolchain_key(f"golang.org/toolchain@{site.good.version}").text.rpartition("-")[0]
        assert [key.startswith(ours) for key in service.keys] == [False, True]
        assert site.bench.report["save"]["key"] == service.keys[0]
        warm = site.run("--store", "github", **service.v2(MAIN.text, run="2"))
        assert warm.status == 0, warm.text
        assert site.bench.outputs["cache-result"] == "exact"
        assert site.bench.outputs["bytes-downloaded"] == "0"
        assert len(service.keys) == 2
        plain = site.run("--store", "github", **service.v2(MAIN.text, run="3"), GOTOOLCHAIN="local")
        assert plain.status == 0, plain.text
        assert site.bench.outputs["cache-result"] == "exact"
        assert len(service.keys) == 2
    assert site.ran == {"good"}


def test_cache_service_with_a_tampered_toolchain_is_mended(site: Site) -> None:
    """A job with a checksum database of its own has saved it. Go refuses it, and the next job takes the new entry."""
    with CacheService(MAIN) as service, ModuleProxy([LIB, site.evil]) as theirs:
        database = checksum_database([site.evil], "sum.evil")
        theirs.files |= database.files
        variables = {"goproxy": theirs.url, "GOSUMDB": database.gosumdb(theirs.url)}
        assert site.run("--store", "github", **service.v2(MAIN.text, run="1"), **variables).status == 0
        assert site.ran == {"evil"}
        site.log.unlink()
        mended = site.run("--store", "github", **service.v2(MAIN.text, run="2"))
        assert mended.status == 0, mended.text
        assert site.requested() == [site.zip_name]
        assert "files-rejected" in site.bench.warnings
        assert len(service.keys) == 3
        assert site.run("--store", "github", **service.v2(MAIN.text, run="3")).status == 0
        assert site.bench.outputs["cache-result"] == "exact"
    assert site.ran == {"good"}


def test_plan_shows_a_toolchain_and_downloads_nothing(site: Site) -> None:
    """No go command of `plan` switches to it."""
    variables = {"GOPROXY": site.proxy.url, "GOSUMDB": site.gosumdb, "GOTOOLCHAIN": "auto"}
    text = site.bench.quickly("plan", **variables)
    assert text.status == 0, text.text
    assert f"toolchain    {NAME} (" in text.stdout
    (planned,) = json.loads(site.bench.quickly("plan", "--format", "json", **variables).stdout)["toolchains"]
    assert planned["module"] == f"golang.org/toolchain@{site.good.version}"
    assert planned["present"] is False
    assert site.proxy.paths() == []


def test_prune_removes_an_unused_toolchain_from_the_pool(site: Site) -> None:
    """It counts as a module of the pool."""
    site.run()
    (listed,) = [one for one in list_modules(site.bench.pool) if one.title.startswith(f"{TOOLCHAIN}@")]
    assert listed.bytes == len(site.good.zip)
    assert not remove(site.bench.pool, replace(listed, used=listed.used - 10))  # it was used since
    assert remove(site.bench.pool, replace(listed, used=listed.used + 10))
    assert not site.pooled.exists()


def test_check_present_unpacks_a_present_toolchain_again(site: Site) -> None:
    """Without it, Go runs what is there, as plain Go does. go.sum could not tell that it is wrong."""
    plant_evil_tree(site)
    plant_evil_zip_and_good_ziphash(site)
    result = site.again("--check-present")
    assert result.status == 0, result.text
    assert site.ran == {"good"}
    assert site.cached.read_bytes() == site.good.zip


@pytest.mark.parametrize("separator", [",", "|"])
def test_run_never_makes_a_checked_folder_a_lone_one(site: Site, separator: str) -> None:
    """With a separator behind it, Go asks the checksum database, which has another hash."""
    folder = site.bench.folder / "proxy"
    write_proxy_folder(folder, [LIB, site.evil])
    result = site.run(goproxy=f"{folder.as_uri()}{separator}")
    assert result.status == 5, result.text
    assert site.ran == set()


def test_run_with_gosumdb_off_says_what_go_needs(site: Site) -> None:
    """Go refuses every toolchain then."""
    result = site.run(GOSUMDB="off")
    assert ("go-failed", "toolchain-unverified") in {(notice.slug, notice.case) for notice in result.notices}
    assert site.ran == set()
    assert not site.cached.exists()


def test_run_with_a_silent_checksum_database_says_so(site: Site) -> None:
    """The watchdog ends Go."""
    site.proxy.fault("sumdb/*", Fault.STALL_BEFORE_HEADERS)
    result = site.run("--attempts", "1", "--stall-timeout", "0.2s")
    assert result.status == 5, result.text
    assert result.notice("go-stalled").case == "toolchain-unverified"
    assert not site.cached.exists()


def test_run_in_a_workspace_plans_the_toolchain_of_go_work(site: Site) -> None:
    """The lines of its members do not count for Go, and `-modfile` does not either."""
    (site.bench.project / "go.work").write_text(f"go 1.21\n\ntoolchain {NAME}\n\nuse .\n")
    gomod = site.bench.project / "go.mod"
    gomod.write_text(gomod.read_text().replace(NAME, "go1.98.0"))
    result = site.run()
    assert result.status == 0, result.text
    assert site.requested() == [site.zip_name]
    assert site.ran == {"good"}


def test_keep_to_removes_toolchains_of_earlier_plans(site: Site) -> None:
    """A pool that the CI carries does not grow with each upgrade of Go."""
    site.run()
    other = site.pooled.with_name("v0.0.1-go1.98.0.linux-amd64.zip")
    other.write_bytes(b"")
    assert keep_to(site.bench.pool, [ModuleFile(ModuleVersion(TOOLCHAIN, site.good.version), "zip")]) == ()
    assert [path.name for path in site.pooled.parent.iterdir()] == [site.pooled.name]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_run_follows_no_link_to_toolchains_in_a_pool(site: Site) -> None:
    """Another user may have put it there. Nothing is written behind it."""
    elsewhere = site.bench.folder / "elsewhere"
    elsewhere.mkdir()
    (site.bench.pool / ".go-prefetch").mkdir(parents=True)
    (site.bench.pool / TOOLCHAINS_FOLDER).symlink_to(elsewhere)
    result = site.run()
    assert result.status == 0, result.text
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("plant", PLANTED)
def test_plain_go_runs_a_planted_toolchain(site: Site, plant: Callable[[Site], None]) -> None:
    """So these are attacks: Go trusts what lies in the module cache."""
    plant(site)
    variables = {"GOPROXY": site.proxy.url, "GOSUMDB": site.gosumdb, "GOTOOLCHAIN": "auto"}
    site.bench.go("version", **variables, TOOLCHAIN_LOG=str(site.log))
    assert site.ran == {"evil"}


def test_plain_go_refuses_a_tampered_zip(site: Site) -> None:
    """A zip without `.ziphash` is compared with the checksum database. This is the only file that a store restores."""
    site.cached.parent.mkdir(parents=True)
    site.cached.write_bytes(site.evil.zip)
    variables = {"GOPROXY": site.proxy.url, "GOSUMDB": site.gosumdb, "GOTOOLCHAIN": "auto"}
    refused = site.bench.go("version", **variables, TOOLCHAIN_LOG=str(site.log))
    assert refused.status == 1
    assert "checksum mismatch" in refused.stderr
    assert site.ran == set()


def test_fill_with_a_platform_holds_the_toolchain_for_plain_go(site: Site) -> None:
    """Go takes it from the folder, and verifies it. `fill` itself runs no toolchain."""
    platform = site.good.version.rpartition(".")[2].replace("-", "/")
    folder = site.bench.folder / "filled"
    variables = {"GOSUMDB": site.gosumdb, "GOTOOLCHAIN": "auto", "TOOLCHAIN_LOG": str(site.log)}
    flags = ("--toolchain-platform", platform)
    filled = site.bench.quickly("fill", str(folder), *flags, GOPROXY=site.proxy.url, **variables)
    assert filled.status == 0, filled.text
    assert (folder / site.zip_name).read_bytes() == site.good.zip
    assert site.ran == set()
    assert not [path for path in site.proxy.paths() if path.startswith("sumdb/")]
    site.proxy.clear()
    built = site.bench.go("mod", "download", GOPROXY=f"{folder.as_uri()},off", **variables)
    assert built.status == 0, built.stderr
    assert site.ran == {"good"}
    assert site.requested() == []


def test_fill_without_a_platform_holds_no_toolchain(site: Site) -> None:
    """The jobs that read the folder may have a new enough Go. One that was there is removed."""
    folder = site.bench.folder / "filled"
    platform = site.good.version.rpartition(".")[2].replace("-", "/")
    for variables in ({"GO_PREFETCH_TOOLCHAIN_PLATFORM": platform}, {}):
        assert site.bench.quickly("fill", str(folder), GOPROXY=site.proxy.url, **variables).status == 0
        assert (folder / site.zip_name).exists() == bool(variables)


def test_fill_with_a_malformed_platform_is_refused(site: Site) -> None:
    """Before anything is filled."""
    refused = site.bench.quickly("fill", "filled", "--toolchain-platform", "linux", GOPROXY=site.proxy.url)
    assert refused.status == 2
    assert refused.notice("input-invalid")
    assert not (site.bench.project / "filled").exists()


def test_run_in_a_project_without_modules_plans_its_toolchain(site: Site) -> None:
    """Every go command needs it there too. Without it, there is nothing to do, as before."""
    (site.bench.project / "go.mod").write_text(f"module example.com/app\n\ngo 1.21\n\ntoolchain {NAME}\n")
    (site.bench.project / "main.go").write_text("package main\n\nfunc main() {}\n")
    cold = site.run()
    assert cold.status == 0, cold.text
    assert site.ran == {"good"}
    assert site.pooled.exists()
    assert site.run().status == 0
    assert site.requested() == []
    assert site.bench.outputs["cache-result"] == "exact"
    assert site.run(GOTOOLCHAIN="local").status == 0
    assert site.bench.outputs["cache-result"] == "disabled"


def test_run_in_a_vendored_project_plans_its_toolchain_alone(site: Site) -> None:
    """Go reads no module from the module cache there."""
    (site.bench.project / "vendor").mkdir()
    (site.bench.project / "vendor/modules.txt").write_text(f"# {LIB.path} {LIB.version}\n## explicit\n{LIB.path}\n")
    result = site.run()
    assert result.status == 0, result.text
    assert site.ran == {"good"}
    assert site.bench.module_files(site.bench.download_folder) == {site.zip_name}
    assert [path for path in site.proxy.paths() if not path.startswith("sumdb/")] == [site.zip_name]


def test_run_reads_the_toolchain_of_go_mod_despite_modfile(site: Site) -> None:
    """Go looks at no flag before it has switched."""
    gomod = site.bench.project / "go.mod"
    (site.bench.project / "other.mod").write_text(gomod.read_text().replace(NAME, "go1.98.0"))
    (site.bench.project / "other.sum").write_text((site.bench.project / "go.sum").read_text())
    result = site.run(GOFLAGS="-modcacherw -modfile=other.mod")
    assert result.status == 0, result.text
    assert site.requested() == [site.zip_name]


def test_run_without_a_store_says_why_the_toolchain_is_missing(site: Site) -> None:
    """Also if the store is asked for nothing else."""
    (site.bench.project / "go.mod").write_text(f"module example.com/app\n\ngo 1.21\n\ntoolchain {NAME}\n")
    result = site.run("--store", "none")
    assert result.status == 0, result.text
    assert "[store-none]" in site.bench.report["restore"]["because_not"]


def test_dead_store_is_not_asked_for_the_toolchain(site: Site) -> None:
    """A second question would wait as long."""
    with CacheService(MAIN) as service:
        service.inject("lookup", 500, times=None)
        result = site.run("--store", "github", "--attempts", "1", **service.v2(MAIN.text, run="1"))
        assert result.status == 0, result.text
        assert service.routes.count("lookup") == 1
    assert site.ran == {"good"}
