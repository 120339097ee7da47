"""`go-prefetch prune`: entries by a server that follows GitHub's rules, pools on a real disk."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from go_prefetch.forge.api import Patience
from go_prefetch.prune.pool import list_modules, remove, remove_empty_folders
from tests.support.build_entries import LINEAGE as BUILD_LINEAGE
from tests.support.build_entries import OTHER_JOB, build_key, entry_paths, save_entry
from tests.support.fakes.github_api import payloads
from tests.support.fakes.github_api.server import TOKEN, GitHubApi, Said
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

NOW = datetime.now(timezone.utc)
LINEAGE = "go-prefetch-1-0123456789abcdef-"
DAY = timedelta(days=1)
MODULES = tuple(FakeModule(f"example.com/{name}", "v1.0.0", padding=50_000) for name in ("old", "Upper", "new"))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubApi]:
    monkeypatch.setattr("go_prefetch.cli.commands.prune.Patience", partial(Patience, write_pause=0.0))
    with GitHubApi() as server:
        server.caches = [
            payloads.cache(1, f"{LINEAGE}full-{'a' * 64}-1.1", created=NOW - 5 * DAY, size=4_000_000),
            payloads.cache(2, f"{LINEAGE}delta-{'b' * 64}-{'a' * 64}-2.1", created=NOW - 4 * DAY),
            payloads.cache(3, f"{LINEAGE}full-{'c' * 64}-3.1", created=NOW - 2 * DAY),
            payloads.cache(4, f"{LINEAGE}full-{'c' * 64}-4.1", ref="refs/pull/12/merge", created=NOW - DAY),
            payloads.cache(5, f"{LINEAGE}full-{'c' * 64}-5.1", ref="refs/pull/13/merge", created=NOW - DAY),
            payloads.cache(6, f"{LINEAGE}full-{'c' * 64}-6.1", ref="refs/heads/gone/away", created=NOW - DAY),
            payloads.cache(7, "setup-go-Linux-x64-go-1.27.3-abc", ref="refs/pull/12/merge", created=NOW - 50 * DAY),
        ]
        server.pulls = {12: "closed", 13: "open"}
        yield server


def prune(bench: Workbench, api: GitHubApi, *flags: str) -> Result:
    return prefetch(bench, "prune", *flags, cwd=bench.folder, **api.environ())


def listed(result: Result) -> list[int]:
    """The entries that are listed, by the number of the run that saved them."""
    return [int(line.split("-")[-1].split(".")[0]) for line in result.stdout.splitlines() if line.startswith(LINEAGE)]


def total(result: Result) -> int:
    """How many entries or modules went or would go: the first number of the last line."""
    return int(re.findall(r"\d+", result.stdout.splitlines()[-1])[0])


def left(api: GitHubApi) -> list[int]:
    return [cache["id"] for cache in api.caches]


def test_a_dry_run_lists_and_deletes_nothing(bench: Workbench, api: GitHubApi) -> None:
    for flags in ((), ("--dry-run",), ("--delete", "--dry-run")):
        result = prune(bench, api, "-v", *flags)
        assert result.status == 0, result.text
        assert sorted(listed(result)) == [1, 2, 4, 6]
        assert total(result) == 4
    assert left(api) == [1, 2, 3, 4, 5, 6, 7]
    assert {request.method for request in api.requests} == {"GET"}
    assert TOKEN not in result.text


def test_what_was_listed_is_deleted_and_nothing_of_others(bench: Workbench, api: GitHubApi) -> None:
    """Deltas before the full entries they rest on."""
    result = prune(bench, api, "--delete", "-v")
    assert result.status == 0, result.text
    assert (sorted(listed(result)), total(result)) == ([1, 2, 4, 6], 4)
    assert left(api) == [3, 5, 7]
    deleted = [int(request.path.rsplit("/", 1)[1]) for request in api.requests if request.method == "DELETE"]
    assert deleted.index(2) < deleted.index(1)
    assert total(prune(bench, api, "--delete")) == 0


def test_build_entries_go_when_a_newer_one_replaced_them(bench: Workbench, api: GitHubApi) -> None:
    """Those that the newest one needs stay, also for another pull request. The newest deltas are deleted first."""
    keys = [(21,), (22, 21), (23, 22, 21), (24,), (25, 24)]
    api.caches = [
        payloads.cache(numbers[0], build_key(*numbers), created=NOW - (6 - age) * DAY)
        for age, numbers in enumerate(keys)
    ]
    api.caches.append(payloads.cache(31, build_key(31, 22, 21), ref="refs/pull/13/merge", created=NOW - DAY))
    assert total(prune(bench, api, "--delete")) == 1
    assert left(api) == [21, 22, 24, 25, 31]
    api.pulls[13] = "closed"
    before = len(api.requests)
    assert total(prune(bench, api, "--delete")) == 3
    assert left(api) == [24, 25]
    deleted = [request.path.rsplit("/", 1)[1] for request in api.requests[before:] if request.method == "DELETE"]
    assert deleted == ["31", "22", "21"]


def test_how_long_a_scope_may_be_idle_is_ones_choice(bench: Workbench, api: GitHubApi) -> None:
    assert 5 not in listed(prune(bench, api, "-v"))
    assert prune(bench, api, "--delete", "--max-age", "12h").status == 0
    assert left(api) == [3, 7]


def test_an_entry_that_is_gone_already_is_nobodys_fault(bench: Workbench, api: GitHubApi) -> None:
    api.caches = api.caches[3:4]
    api.inject("/actions/caches/4$", Said(404, {"message": "Not Found"}))
    result = prune(bench, api, "--delete")
    assert result.status == 0
    assert total(result) == 0


def test_prune_lists_the_families_of_all_tools(bench: Workbench, api: GitHubApi) -> None:
    """What only pull requests have saved is named, and what is too much."""
    api.storage_limit_gb = 10
    api.caches.append(payloads.cache(8, "codeql-trap-1-go-abc", created=NOW - DAY, size=11 << 30))
    result = prune(bench, api)
    assert result.status == 0, result.text
    rows = [line.split(maxsplit=6) for line in result.stdout.splitlines()]
    assert [tuple(row[4:]) for row in rows[1:4]] == [
        ("1", "yes", "CodeQL"),
        ("1", "yes", "go-prefetch: modules"),
        ("50", "no", "setup-go"),
    ]
    assert "all of acme/widget" in result.stdout.splitlines()[-2]
    assert "[cache-over-limit]" in result.stderr
    assert "[default-branch-unsaved]" in result.stderr
    assert left(api) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_prune_with_q_prints_one_line(bench: Workbench, api: GitHubApi) -> None:
    assert len(prune(bench, api, "-q").stdout.splitlines()) == 1


def test_gitlab_has_no_entries_to_prune(bench: Workbench) -> None:
    result = prefetch(bench, "prune", "--api-url", "https://gitlab.com/api/v4", "--repo", "a/b", cwd=bench.folder,
                      GITLAB_TOKEN="glpat-x")  # fmt: skip
    assert result.status == 2
    assert "[input-invalid]" in result.stderr


@pytest.mark.parametrize(
    "flags", [("--max-size", "1GB"), ("--pool", "x", "--delete"), ("--pool", "nowhere", "--max-age", "1d")]
)
def test_flags_that_do_not_fit_together(bench: Workbench, flags: tuple[str, ...]) -> None:
    assert prefetch(bench, "prune", *flags, cwd=bench.folder).status == 2


@pytest.fixture
def pool(bench: Workbench) -> Path:
    """A pool that a real run has filled."""
    with ModuleProxy(MODULES) as proxy:
        bench.write_project(MODULES)
        assert bench.prefetch(goproxy=proxy.url).status == 0
    return bench.pool


def make_old(pool: Path, name: str, days: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nothing had used this module for so long; a ctime cannot be set, so the clock of the test looks away."""
    monkeypatch.setattr("go_prefetch.stores.pool_metadata.last_use", lambda found: max(found.st_atime, found.st_mtime))
    for path in (pool / "example.com").glob(f"{name}/@v/*"):
        os.utime(path, (time.time() - days * 86400,) * 2)


def test_modules_that_are_old_go_and_the_module_cache_keeps_them(
    bench: Workbench, pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bench.module_files(bench.download_folder)
    make_old(pool, "old", 40, monkeypatch)
    dry = prefetch(bench, "prune", "--pool", str(pool), "--max-age", "30d")
    assert total(dry) == 1
    assert (pool / "example.com/old/@v/v1.0.0.zip").exists()
    result = prefetch(bench, "prune", "--pool", str(pool), "--max-age", "30d", "--delete")
    assert result.status == 0, result.text
    assert not [name for name in bench.module_files(pool) if "old" in name]
    assert len({name for name in bench.module_files(pool) if name.endswith(".zip")}) == 2
    assert bench.module_files(bench.download_folder) == before


def test_prune_delete_removes_what_a_killed_run_has_left(bench: Workbench, pool: Path) -> None:
    temporary = "example.com/new/@v/v1.0.0.zip0123456789012345678.tmp"
    notes = pool / ".go-prefetch"
    notes.mkdir(exist_ok=True)
    (pool / temporary).touch()
    record = notes / "run-0123456789012345678"
    record.write_text(f"{temporary}\n")
    record.chmod(0o600)
    prune = ("prune", "--pool", str(pool), "--max-age", "30d")
    assert prefetch(bench, *prune).status == 0
    assert (pool / temporary).exists()
    assert prefetch(bench, *prune, "--delete").status == 0
    assert not (pool / temporary).exists()
    assert not record.exists()


def test_the_longest_unused_go_until_the_size_is_met(
    bench: Workbench, pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_old(pool, "old", 3, monkeypatch)
    make_old(pool, "!upper", 2, monkeypatch)
    size = sum(one.bytes for one in list_modules(pool))
    result = prefetch(bench, "prune", "--pool", str(pool), "--max-size", str(size - 60_000), "--delete")
    assert result.status == 0, result.text
    assert {one.title for one in list_modules(pool)} == {"example.com/new@v1.0.0"}


def test_prune_pool_removes_a_build_cache_as_a_whole(
    bench: Workbench, pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The modules and the build cache of a job that runs stay."""
    monkeypatch.setattr("go_prefetch.stores.pool_metadata.last_use", lambda found: max(found.st_atime, found.st_mtime))
    for numbers in ((1,), (2, 1)):
        save_entry(pool, build_key(*numbers))
        save_entry(pool, build_key(*numbers, lineage=OTHER_JOB))
    for path in entry_paths(pool):
        if path.name.startswith(OTHER_JOB):
            os.utime(path, (time.time() - 40 * 86400,) * 2)
    listed = prefetch(bench, "prune", "--pool", str(pool))
    assert " has 3 modules and 2 build caches (" in listed.stdout
    result = prefetch(bench, "prune", "--pool", str(pool), "--max-age", "30d", "--delete", "-v")
    assert result.status == 0, result.text
    assert result.stdout.startswith(OTHER_JOB.rstrip("-"))
    assert [path.name.startswith(BUILD_LINEAGE) for path in entry_paths(pool)] == [True, True]
    assert len(list_modules(pool)) == 3
    assert prefetch(bench, "prune", "--pool", str(pool), "--max-size", "0", "--delete").status == 0
    assert entry_paths(pool) == []


def test_prune_pool_without_limits_counts_its_modules(bench: Workbench, pool: Path) -> None:
    """Without a value it is the default pool, and `dir:` is allowed as in `--store`."""
    default = bench.folder / "cache" / "go-prefetch" / "pool"
    shutil.copytree(pool, default)
    expected = f"{default} has 3 modules"
    result = prefetch(bench, "prune", "--pool", XDG_CACHE_HOME=str(bench.folder / "cache"))
    assert (result.status, result.stdout.partition(" (")[0]) == (0, expected)
    result = prefetch(bench, "prune", "--pool", f"dir:{default}", "-v")
    assert (result.status, len(result.stdout.splitlines())) == (0, 4)


def test_prune_pool_without_home_names_what_is_missing(bench: Workbench) -> None:
    result = prefetch(bench, "prune", "--pool", cwd=bench.folder, HOME="", XDG_CACHE_HOME="")
    assert result.status == 2
    assert "[pool-unknown]" in result.stderr


def test_the_next_run_downloads_what_was_trimmed(bench: Workbench, pool: Path) -> None:
    assert prefetch(bench, "prune", "--pool", str(pool), "--max-size", "0", "--delete").status == 0
    bench.forget_modcache()
    with ModuleProxy(MODULES) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
    assert bench.outputs["cache-result"] == "miss"


def test_only_module_files_are_touched(bench: Workbench, pool: Path, tmp_path: Path) -> None:
    """Not the ledger, not what else lies there, and nothing through a symbolic link."""
    outside = tmp_path / "outside"
    (outside / "@v").mkdir(parents=True)
    (outside / "@v" / "v1.0.0.zip").write_bytes(b"precious")
    (pool / "example.com" / "link").symlink_to(outside)
    (pool / "example.com" / "old" / "@v" / "v9.9.9.zip").symlink_to(outside / "@v" / "v1.0.0.zip")
    others = [pool / "notes.txt", pool / "example.com/old/@v/list", pool / "example.com/old/@v/README.zip"]
    for path in others:
        path.write_text("mine")
    ledger = sorted((pool / ".go-prefetch").rglob("*"))
    assert prefetch(bench, "prune", "--pool", str(pool), "--max-size", "0", "--delete").status == 0
    assert list_modules(pool) == []
    assert all(path.exists() for path in [*others, outside / "@v" / "v1.0.0.zip"])
    assert sorted((pool / ".go-prefetch").rglob("*")) == ledger
    assert ledger


def test_a_module_cache_is_no_pool(bench: Workbench, pool: Path) -> None:
    result = prefetch(bench, "prune", "--pool", str(bench.download_folder), "--max-size", "0", "--delete")
    assert result.status == 2
    assert "[folder-not-ours]" in result.stderr
    assert bench.module_files(bench.download_folder)


def test_a_module_that_was_used_since_we_looked_stays(bench: Workbench, pool: Path) -> None:
    """Another run has just taken it."""
    seen = list_modules(pool)
    one = next(one for one in seen if one.title == "example.com/new@v1.0.0")
    os.utime(pool / one.names[0], (time.time() + 10,) * 2)
    assert not remove(pool, one)
    assert all((pool / name).exists() for name in one.names)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")
def test_folder_that_became_a_link_is_not_entered(pool: Path, tmp_path: Path) -> None:
    """Another user may have put it there, to a mirror that is not his."""
    outside = tmp_path / "mirror"
    shutil.copytree(pool / "example.com", outside)
    before = sorted(outside.rglob("*"))
    seen = list_modules(pool)
    shutil.rmtree(pool / "example.com")
    (pool / "example.com").symlink_to(outside)
    assert all(remove(pool, one) for one in seen)
    remove_empty_folders(pool, time.time() + 2 * 86400)
    assert sorted(outside.rglob("*")) == before


def test_a_module_that_a_run_has_restored_counts_as_used(bench: Workbench, pool: Path) -> None:
    for path in pool.rglob("v*"):
        os.utime(path, (1.0, 1.0))
    bench.forget_modcache()
    with ModuleProxy(MODULES) as proxy:
        assert bench.prefetch(goproxy=proxy.url).status == 0
    assert {path.stat().st_atime > 1.0 for path in pool.rglob("v*.zip")} == {True}
    assert {path.stat().st_mtime for path in pool.rglob("v*.zip")} == {1.0}


def test_folders_go_when_they_have_been_empty_for_a_day(bench: Workbench, pool: Path) -> None:
    """A run that is about to write into one has made it just now."""
    for one in list_modules(pool):
        remove(pool, one)
    assert remove_empty_folders(pool) == 0
    while remove_empty_folders(pool, time.time() + 2 * 86400):
        pass
    assert not (pool / "example.com").exists()
    assert (pool / ".go-prefetch").exists()


def test_a_pool_that_may_not_be_read_is_not_called_empty(
    bench: Workbench, pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(folder: object) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("go_prefetch.prune.pool.os.scandir", refused)
    result = prefetch(bench, "prune", "--pool", str(pool), "--max-size", "0")
    assert result.status == 5
    assert "[folder-unwritable]" in result.stderr


def test_run_with_limits_trims_the_pool_of_others(
    bench: Workbench, pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it took from the pool stays, and what it had in its module cache, however small the pool."""
    for name in ("old", "!upper", "new"):
        make_old(pool, name, 40, monkeypatch)
    bench.write_project(MODULES[:1])
    for _ in ("in the module cache", "only in the pool"):
        result = bench.prefetch("--pool-max-size", "1kB", goproxy="off", GO_PREFETCH_POOL_MAX_AGE="30d")
        assert result.status == 0, result.text
        assert {one.title for one in list_modules(pool)} == {"example.com/old@v1.0.0"}
        bench.forget_modcache()
        (pool / ".go-prefetch/trimmed").unlink()


def test_run_with_limits_that_may_not_save_trims_nothing(bench: Workbench, pool: Path) -> None:
    assert bench.prefetch("--pool-max-size", "0", "--save", "false", goproxy="off").status == 0
    assert not (pool / ".go-prefetch/trimmed").exists()


def test_pool_that_cannot_be_trimmed_is_a_warning(
    bench: Workbench, pool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(root: Path, name: str, data: bytes) -> None:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr("go_prefetch.prune.limits.write_whole", refused)
    result = bench.prefetch("--pool-max-size", "0", goproxy="off")
    assert result.status == 0
    assert result.notice("pool-not-trimmed").case == "limits"
