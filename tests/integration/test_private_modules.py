"""Modules that are nobody else's business: no proxy hears of them, no pool keeps them, unless asked to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

PUBLIC = FakeModule("example.com/public", "v1.0.0")
PRIVATE = FakeModule("example.com/private.git", "v1.2.3")  # `.git`: Go asks no server where its repository is
MODULES = (PUBLIC, PRIVATE)


def in_repository(bench: Workbench, folder: Path) -> dict[str, str]:
    """Put PRIVATE into a git repository; the variables with which git finds it in place of https://example.com."""
    folder.mkdir()
    for name, content in PRIVATE.contents.items():
        (folder / name.removeprefix("example.com/private.git@v1.2.3/")).write_bytes(content)
    for command in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "All"),
        ("tag", "v1.2.3"),
    ):
        done = bench.program(["git", *command], cwd=folder, GIT_CONFIG_NOSYSTEM="1")
        assert done.status == 0, done.text
    return {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{folder}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://example.com/private",
    }


def private_files(folder: Path, bench: Workbench) -> set[str]:
    return {name for name in bench.module_files(folder) if "private" in name}


@pytest.mark.skipif(sys.platform == "win32", reason="a file URL of git's is written otherwise there")
@pytest.mark.parametrize("variable", ["GOPRIVATE", "GONOPROXY"])
@pytest.mark.parametrize(
    ("save_private", "saved"), [("auto", False), ("false", False), ("true", True)], ids=["auto", "false", "true"]
)
def test_what_matches_goes_to_go_alone(
    bench: Workbench, tmp_path: Path, variable: str, save_private: str, *, saved: bool
) -> None:
    """Go gets it from its repository; the proxy never hears its name; the pool keeps it only with save-private."""
    repository = in_repository(bench, tmp_path / "repository")
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(
            "--save-private", save_private, goproxy=proxy.url, **{variable: "example.com/private.git"}, **repository
        )
        assert result.status == 0, result.text
        assert not any("private" in path for path in proxy.paths())
    assert len(private_files(bench.download_folder, bench)) == 3
    assert len(private_files(bench.pool, bench)) == (3 if saved else 0)
    assert len(bench.module_files(bench.pool)) == (6 if saved else 3)
    assert bench.go("mod", "verify").status == 0


@pytest.mark.parametrize("variable", ["GOPRIVATE", "GONOSUMDB"])
def test_run_only_private_modules_is_a_miss_each_time(bench: Workbench, variable: str) -> None:
    """The store can never have them, so no run may call itself a hit."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        for _ in range(2):
            bench.forget_modcache()
            result = bench.prefetch(goproxy=proxy.url, **{"GONOPROXY": "none", variable: "*"})
            assert result.status == 0, result.text
            assert (bench.outputs["cache-result"], bench.outputs["cache-hit"]) == ("miss", "false")
            assert "[not-saved]" in bench.report["save"]["because_not"]
    assert not bench.pool.exists()


def test_run_private_modules_saved_on_request_are_restored(bench: Workbench) -> None:
    """With save-private all of them count: the first run is a miss, the second an exact hit."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        for result in ("miss", "exact"):
            bench.forget_modcache()
            bench.prefetch("--save-private", "true", goproxy=proxy.url, GONOSUMDB="*")
            assert bench.outputs["cache-result"] == result


def test_run_proxy_with_login_is_a_miss_each_time(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        for _ in range(2):
            bench.forget_modcache()
            result = bench.prefetch(goproxy=proxy.url.replace("://", "://user:secret@"))
            assert result.status == 0, result.text
            assert bench.outputs["cache-result"] == "miss"
            assert "[not-saved]" in bench.report["save"]["because_not"]


def test_run_without_go_sum_is_no_present_result(bench: Workbench) -> None:
    """Nothing is planned, and Go downloads all of it: that is not "already present"."""
    bench.write_project(MODULES)
    (bench.project / "go.sum").unlink()
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert bench.outputs["cache-result"] == "miss"


@pytest.mark.parametrize("variable", ["GOPRIVATE", "GONOSUMDB"])
def test_private_modules_of_a_private_proxy_are_not_saved(bench: Workbench, variable: str) -> None:
    """GONOPROXY=none lets the proxy serve them; the pool still goes without, and that counts as no miss."""
    bench.write_project(MODULES)
    variables = {"GONOPROXY": "none", variable: "example.com/private.git"}
    with ModuleProxy(MODULES) as proxy:
        assert bench.prefetch(goproxy=proxy.url, **variables).status == 0
        assert any("private" in path for path in proxy.paths())
        assert private_files(bench.pool, bench) == set()
        bench.forget_modcache()
        proxy.clear()
        assert bench.prefetch(goproxy=proxy.url, **variables).status == 0
        assert bench.outputs["cache-result"] == "exact"
        assert all("private" in path for path in proxy.paths())
