"""`go-prefetch sync`: many projects fill one pool, and Go checks it. Real Go, a proxy on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from go_prefetch.golang.modcache import TOOLCHAINS_FOLDER, ModuleFolder, file_named
from go_prefetch.golang.module import TOOLCHAIN
from go_prefetch.stores.cache_service.compression import best_encoding
from go_prefetch.stores.cache_service.module_archive import write_archive
from tests.support.fakes.checksum_database import checksum_database
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, write_project, write_proxy_folder
from tests.support.fakes.object_server import ObjectServer
from tests.support.notices import facts
from tests.support.servers.seaweedfs import REGION, WRITER, SeaweedFS
from tests.support.workbench import Result, Workbench

SHARED = FakeModule("example.com/shared", "v1.0.0")
ONE = FakeModule("example.com/one", "v1.0.0")
TWO = FakeModule("example.com/Two", "v2.0.0+incompatible", has_gomod=False)
UNUSED = FakeModule("example.com/unused", "v1.0.0")
EVIL = FakeModule("example.com/evil", "v1.0.0")


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy([SHARED, ONE, TWO, UNUSED, EVIL]) as server:
        yield server


@pytest.fixture
def projects(bench: Workbench) -> Path:
    """Three projects: `b` cannot be brought, because go.sum does not fit what the proxies have."""
    folder = bench.folder / "projects"
    write_project(folder / "a", [SHARED, ONE], path="example.com/a")
    write_project(folder / "b", [SHARED, EVIL], path="example.com/b")
    write_project(folder / "c", [SHARED, TWO, UNUSED], path="example.com/c", requires=[SHARED, TWO])
    wrong = FakeModule(EVIL.path, EVIL.version, padding=9)
    (folder / "b" / "go.sum").write_text(SHARED.go_sum + wrong.go_sum)
    return folder


def sync(bench: Workbench, projects: Path, goproxy: str, *flags: str, **variables: str) -> Result:
    from tests.support.same_process import prefetch

    where = "*" if projects.name == "projects" else "."
    store = () if "--store" in flags else ("--store", f"dir:{bench.pool}")
    command = ("sync", "-C", where, *store, *flags)
    return prefetch(bench, *command, cwd=projects, GOPROXY=goproxy, **variables)


def files_of(*modules: FakeModule) -> set[str]:
    """Return the names of the three files of each module."""
    escaped = (module.path.replace("T", "!t") for module in modules)
    stems = [f"{path}/@v/{module.version}" for path, module in zip(escaped, modules, strict=True)]
    return {f"{stem}.{kind}" for stem in stems for kind in ("info", "mod", "zip")}


def test_sync_goes_on_after_a_project_that_fails(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    synced = sync(bench, projects, proxy.url)
    assert synced.status == 5
    held = bench.module_files(bench.pool)
    assert held >= files_of(SHARED, ONE, TWO)
    assert {name for name in held if name.endswith(".zip")} == {
        name for name in files_of(SHARED, ONE, TWO) if name.endswith(".zip")
    }
    assert "Synced 2 of 3 projects, 1 failed" in synced.stdout
    assert synced.notice("checksum-mismatch")
    assert [proxy.paths().count(name) for name in files_of(SHARED)] == [1, 1, 1]  # by three projects
    assert not bench.modcache.exists()


def test_second_sync_asks_only_for_what_the_pool_lacks(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    sync(bench, projects, proxy.url)
    proxy.clear()
    (bench.pool / ONE.path / "@v" / f"{ONE.version}.zip").unlink()
    again = sync(bench, projects, proxy.url)
    assert {name for name in proxy.paths() if EVIL.path not in name} == {f"{ONE.path}/@v/{ONE.version}.zip"}
    assert "1 had all their files in the pool" in again.stdout
    assert bench.module_files(bench.pool) >= files_of(SHARED, ONE, TWO)


def test_sync_for_tidy_brings_all_that_go_sum_names(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    assert sync(bench, projects / "c", proxy.url, "--for-tidy").status == 0
    assert bench.module_files(bench.pool) == files_of(SHARED, TWO, UNUSED)


def test_sync_saves_private_modules_only_on_request(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    given = {"GOPRIVATE": ONE.path, "GONOPROXY": "none", "GITHUB_EVENT_NAME": "pull_request"}
    assert sync(bench, projects / "a", proxy.url, **given).status == 0
    assert bench.module_files(bench.pool) == files_of(SHARED)
    assert sync(bench, projects / "a", proxy.url, "--save-private=true", **given).status == 0
    assert bench.module_files(bench.pool) == files_of(SHARED, ONE)


def test_sync_into_a_pool_that_takes_nothing_fails(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    bench.pool.write_text("in the way")
    synced = sync(bench, projects / "a", proxy.url)
    assert synced.status == 1
    assert synced.notice("store-unwritable")


def test_sync_needs_a_pool(bench: Workbench, projects: Path) -> None:
    assert sync(bench, projects, "off", "--store", "none").status == 2
    assert sync(bench, projects, "off", "--store", "github").status == 2


def test_proxy_that_fails_is_an_error_of_its_projects(bench: Workbench, proxy: ModuleProxy, projects: Path) -> None:
    proxy.fault("*/!two/*", Fault.NOT_FOUND)
    synced = sync(bench, projects, proxy.url, "--attempts", "1")
    assert "Synced 1 of 3 projects, 2 failed" in synced.stdout
    assert bench.module_files(bench.pool) >= files_of(SHARED, ONE)


KNOWN = FakeModule("example.com/known", "v1.0.0")  # to the checksum database alone
SWAPPED = FakeModule("example.com/swapped", "v1.0.0")
FORGED = FakeModule("example.com/forged", "v1.0.0")
UNKNOWN = FakeModule("example.com/unknown", "v1.0.0")
PRIVATE = FakeModule("corp.example/private", "v1.0.0")
TOOL = FakeModule(TOOLCHAIN, "v0.0.1-go1.99.0.linux-amd64", has_gomod=False)
BAD_TOOL = FakeModule(TOOLCHAIN, "v0.0.1-go1.98.0.linux-amd64", has_gomod=False)


def name(module: FakeModule, kind: str) -> str:
    """Return the name of a file in the pool."""
    apart = f"{TOOLCHAINS_FOLDER}/" if module.path == TOOLCHAIN else ""
    return f"{apart}{module.path}/@v/{module.version}.{kind}"


@pytest.fixture
def gosumdb(bench: Workbench) -> str:
    """Return GOSUMDB of a database that knows the modules of this file except two."""
    modules = [SHARED, ONE, TWO, KNOWN, SWAPPED, FORGED, TOOL, BAD_TOOL]
    database, folder = checksum_database(modules), bench.folder / "database"
    for path, content in database.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return database.gosumdb(folder.as_uri())


@pytest.fixture
def pool(bench: Workbench) -> Path:
    """A pool with files that are right, wrong, and of unknown origin."""
    pool = bench.pool
    write_proxy_folder(pool, [SHARED, ONE, KNOWN, SWAPPED, FORGED, UNKNOWN, PRIVATE, TOOL, BAD_TOOL])
    for path in pool.rglob("list"):
        path.unlink()
    tools = pool / TOOLCHAINS_FOLDER / TOOLCHAIN / "@v"
    tools.mkdir(parents=True)
    for module in (TOOL, BAD_TOOL):
        (pool / TOOLCHAIN / "@v" / f"{module.version}.zip").rename(tools / f"{module.version}.zip")
    for path in (pool / TOOLCHAIN / "@v").iterdir():
        path.unlink()
    for module in (ONE, SWAPPED, BAD_TOOL):
        path = pool / name(module, "zip")
        path.write_bytes(damaged(path.name, path.read_bytes()))
    (pool / name(FORGED, "mod")).write_text(f"module {FORGED.path}\n\nrequire example.com/evil v1.0.0\n")
    (pool / name(KNOWN, "info")).write_text('{"Version":"v9.9.9"}')
    (pool / name(PRIVATE, "zip")).write_bytes((pool / name(PRIVATE, "zip")).read_bytes()[:-30])
    (pool / name(KNOWN, "zip")).with_suffix(".txt").write_text("no file of a module")
    return pool


def wrong(result: Result) -> set[str]:
    """Return the files that were reported as wrong and removed."""
    found = [one for one in result.notices if one.slug == "pool-file-wrong"]
    assert {one.case for one in found} <= {"removed"}
    return {str(facts(one)["name"]) for one in found}


def removed(pool: Path, before: set[str]) -> set[str]:
    """Return the names that are gone from the pool."""
    return before - {path.relative_to(pool).as_posix() for path in pool.rglob("*") if path.is_file()}


WRONG = {
    name(ONE, "zip"), name(SWAPPED, "zip"), name(BAD_TOOL, "zip"), name(FORGED, "mod"), name(KNOWN, "info"),
    name(PRIVATE, "zip"),
}  # fmt: skip


def test_check_removes_what_go_rejects(bench: Workbench, pool: Path, gosumdb: str) -> None:
    write_project(bench.project, [SHARED, ONE])
    before = {path.relative_to(pool).as_posix() for path in pool.rglob("*") if path.is_file()}
    given = {"GOSUMDB": gosumdb, "GOPRIVATE": "corp.example"}
    checked = sync(bench, bench.project, "off", "--check", "-v", **given)
    assert checked.status == 1
    assert removed(pool, before) == WRONG
    assert len(wrong(checked)) == len(WRONG)
    # SHARED twice, ONE's .mod, KNOWN twice, SWAPPED's .mod, TOOL
    assert "7 right, 6 wrong, 4 not verified" in checked.stdout
    unverified = [
        line.partition(": ")[0] for line in checked.stderr.splitlines() if "verdict" in line or "names" in line
    ]
    assert sorted(unverified) == [
        f"{PRIVATE.path}@v1.0.0 .mod", f"{FORGED.path}@v1.0.0 .zip", f"{UNKNOWN.path}@v1.0.0 .mod",
        f"{UNKNOWN.path}@v1.0.0 .zip",
    ]  # fmt: skip
    again = sync(bench, bench.project, "off", "--check", **given)
    assert (again.status, wrong(again)) == (0, set())


@pytest.mark.parametrize("is_good", [True, False], ids=["good", "wrong"])
def test_check_looks_into_repacked_zips(
    bench: Workbench, pool: Path, gosumdb: str, tmp_path: Path, *, is_good: bool
) -> None:
    """The one that a job reads is checked, and not just the zip beside it."""
    file, folder, encoding = file_named(name(KNOWN, "zip")), ModuleFolder.at(tmp_path), best_encoding(bench.environ)
    assert file
    folder.path_of(file).parent.mkdir(parents=True)
    folder.path_of(file).write_bytes(KNOWN.zip if is_good else damaged(file.name, KNOWN.zip))
    copy = pool / ".go-prefetch" / "repacked" / f"{file.name}.{encoding.name}"
    copy.parent.mkdir(parents=True)
    with copy.open("wb") as out:
        write_archive(out, folder, [file], encoding)
    bench.project.mkdir()
    checked = sync(bench, bench.project, "off", "--check", GOSUMDB=gosumdb, GOPRIVATE="corp.example")
    assert copy.exists() is is_good
    assert (str(file) not in wrong(checked)) is is_good


def test_check_without_a_database_calls_nothing_good(bench: Workbench, pool: Path, gosumdb: str) -> None:
    write_project(bench.project, [SHARED, ONE])
    checked = sync(bench, bench.project, "off", "--check", GOSUMDB="off")
    assert checked.status == 1
    assert facts(checked.notice("pool-not-verified"))["cause"].case == "no-database"
    assert (pool / name(SWAPPED, "zip")).exists()
    assert not (pool / name(ONE, "zip")).exists()
    assert "3 right" in checked.stdout


def test_check_needs_no_project(bench: Workbench, pool: Path, gosumdb: str) -> None:
    bench.project.mkdir()
    checked = sync(bench, bench.project, "off", "--check", GOSUMDB=gosumdb, GOPRIVATE="corp.example")
    assert checked.status == 1
    assert not any((pool / gone).exists() for gone in WRONG)


def test_check_finds_the_database_at_a_proxy(bench: Workbench, pool: Path) -> None:
    """As behind a firewall. No module is requested there, whatever the pool lacks."""
    (pool / name(SWAPPED, "mod")).unlink()
    (pool / name(SHARED, "zip")).unlink()
    database = checksum_database([SHARED, KNOWN, FORGED, TOOL, BAD_TOOL, ONE])
    bench.project.mkdir()
    with ObjectServer() as server:
        server.objects = dict(database.files)
        checked = sync(bench, bench.project, server.url, "--check", GOSUMDB=database.key, GOPRIVATE="corp.example")
        asked = {path for path in server.asked("GET") if not path.startswith("sumdb/")}
    assert (checked.status, asked) == (1, set())
    assert not any((pool / name(module, "zip")).exists() for module in (ONE, BAD_TOOL))
    assert (pool / name(SWAPPED, "zip")).exists()  # it is wrong, and Go does not look at it without a .mod
    assert "5 right" in checked.stdout  # SHARED's and ONE's .mod, KNOWN twice, TOOL


def test_check_of_hashes_that_disagree_asks_the_database(bench: Workbench, pool: Path, gosumdb: str) -> None:
    """A go.sum with a forged hash must not make another project's module wrong."""
    projects = bench.folder / "projects"
    write_project(projects / "a", [SHARED, KNOWN])
    write_project(projects / "b", [SHARED])
    other = FakeModule(SHARED.path, SHARED.version, padding=9)
    (projects / "b" / "go.sum").write_text(other.go_sum)
    checked = sync(bench, projects, "off", "--check", GOSUMDB=gosumdb, GOPRIVATE="corp.example")
    assert (pool / name(SHARED, "zip")).exists()
    assert SHARED.path not in " ".join(wrong(checked))


def test_pool_without_a_list_is_synced_and_checked(bench: Workbench, proxy: ModuleProxy) -> None:
    """An HTTP server does not list its files: each project is run, and what go.sum names is checked."""
    write_project(bench.project, [SHARED, ONE])
    with ObjectServer() as server:
        store = ("--store", f"{server.url}/pool")
        front = ("--store", f"dir:{bench.pool} {server.url}/pool")  # what it has would not come into the pool
        assert sync(bench, bench.project, proxy.url, *front).status == 0
        assert not bench.pool.exists()
        assert {f"pool/{path}" for path in files_of(SHARED, ONE)} <= server.objects.keys()
        proxy.clear()
        assert sync(bench, bench.project, proxy.url, *store).status == 0
        assert proxy.paths() == []
        zip_name = f"pool/{name(ONE, 'zip')}"
        server.objects[zip_name] = damaged(zip_name, server.objects[zip_name])
        checked = sync(bench, bench.project, "off", *store, "--check")
        assert checked.status == 1
        assert facts(checked.notice("pool-not-verified"))["cause"].case == "not-listed"
        assert zip_name not in server.objects
        assert "3 right, 1 wrong, 0 not verified, 2 .info files" in checked.stdout


def test_bucket_is_synced_and_checked(bench: Workbench, proxy: ModuleProxy, seaweedfs: SeaweedFS) -> None:
    pytest.importorskip("obstore", reason="needs Python 3.11")
    write_project(bench.project, [SHARED, ONE])
    given = {
        "AWS_ENDPOINT_URL": seaweedfs.s3_url, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": WRITER.key_id,
        "AWS_SECRET_ACCESS_KEY": WRITER.secret, "GOPROXY": proxy.url,
    }  # fmt: skip
    store = ("--store", f"s3://{seaweedfs.new_bucket()}/pool")
    assert "6 files saved" in bench.run("sync", *store, **given).stdout
    proxy.clear()
    assert "0 files saved" in bench.run("sync", *store, **given).stdout
    assert proxy.paths() == []
    checked = bench.run("sync", *store, "--check", **given)
    assert "4 right, 0 wrong, 0 not verified" in checked.stdout
    assert checked.status == 0
