"""The plan of real projects, held against what Go itself fetches for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.run.steps.discover import Place
from go_prefetch.run.steps.resolve import resolve
from go_prefetch.run.steps.workspace import module_graph
from tests.support.workbench import Workbench

pytestmark = pytest.mark.network

LISTED = {
    "small": "github.com/junegunn/fzf@v0.56.3",
    "version-specific replace by a fork": "github.com/syncthing/syncthing@v1.27.10",
    "large, replace by a fork": "github.com/cli/cli/v2@v2.60.0",
}
OLD = "github.com/spf13/viper@v1.8.1"  # go 1.12
# The last one has `go` 1.14, and its go.mod does not name what its dependencies need.
KEYS = Path(__file__).with_name("real_project_keys.txt")  # digest of the key and number of modules; nothing rewrites it
WORKSPACE = {
    "echo": "github.com/labstack/echo/v4@v4.12.0",
    "task": "github.com/go-task/task/v3@v3.39.2",
    "cobra": "github.com/spf13/cobra@v1.2.1",
}


# Workspaces of modules that share dependencies. In the first, a build reads modules that no member lists. It takes
# minutes, hence nightly alone.
WORKSPACES = {
    "prometheus": {
        "prometheus": "github.com/prometheus/prometheus@v0.305.0",
        "common": "github.com/prometheus/common@v0.65.0",
        "client": "github.com/prometheus/client_golang@v1.22.0",
    },
    "kubernetes": {
        "api": "k8s.io/api@v0.33.1",
        "apimachinery": "k8s.io/apimachinery@v0.33.1",
        "client-go": "k8s.io/client-go@v0.33.1",
        "kubectl": "k8s.io/kubectl@v0.33.1",
    },
    "with an old member": WORKSPACE,
}


@pytest.fixture(scope="session")
def goproxy() -> str:
    """The proxies this machine uses."""
    asked = ["go", "env", "GOPROXY"]
    return subprocess.run(asked, env=os.environ, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("module", [pytest.param(module, id=name) for name, module in LISTED.items()])
@pytest.mark.nightly
def test_plan_names_the_zips_that_go_mod_download_takes(bench: Workbench, goproxy: str, module: str) -> None:
    """No zip more and none less, every .mod and .info that Go reads; no file of the project moves."""
    take_project(bench, goproxy, module, bench.project)
    sums = sum_files(bench.project)
    planned = plan(bench, "--format", "json")
    done = bench.go("mod", "download", GOPROXY=goproxy)
    assert done.status == 0, done.text
    taken = bench.module_files(bench.download_folder)
    assert of_kind("zip", planned) == of_kind("zip", taken)
    assert of_kind("info", planned) == of_kind("info", taken)
    assert of_kind("mod", planned) >= of_kind("mod", taken)
    assert sum_files(bench.project) == sums


@pytest.mark.nightly
def test_plan_of_an_old_module_covers_every_package_and_test(bench: Workbench, goproxy: str) -> None:
    """With `go` 1.16 or older: what `go list -deps -test` needs is planned, and after a run it needs no proxy."""
    take_project(bench, goproxy, OLD, bench.project)
    assert_covered(bench, goproxy, ["./..."])


@pytest.mark.nightly
def test_plan_of_a_workspace_covers_every_package_and_test(bench: Workbench, goproxy: str) -> None:
    """Under a go.work: what `go list -deps -test` needs is planned, and after a run it needs no proxy."""
    for name, module in WORKSPACE.items():
        take_project(bench, goproxy, module, bench.project / name)
    assert bench.go("work", "init", *(f"./{name}" for name in WORKSPACE)).status == 0
    assert_covered(bench, goproxy, [f"./{name}/..." for name in WORKSPACE])


@pytest.mark.parametrize(
    "members",
    [
        pytest.param(members, id=name, marks=[pytest.mark.nightly] if name == "prometheus" else [])
        for name, members in WORKSPACES.items()
    ],
)
@pytest.mark.nightly
def test_a_workspace_selects_what_go_selects(bench: Workbench, goproxy: str, members: dict[str, str]) -> None:
    """After a warm run, and from a filled folder, Go loads every package and test without a network."""
    for name, module in members.items():
        take_project(bench, goproxy, module, bench.project / name)
    assert bench.go("work", "init", *(f"./{name}" for name in members)).status == 0
    listing = ("list", "-deps", "-test", *(f"./{name}/..." for name in members))
    needed = str(bench.folder / "needed")
    assert bench.go(*listing, GOPROXY=goproxy, GOMODCACHE=needed).status == 0  # writes go.work.sum
    by_go = bench.go("list", "-m", "-f", "{{.Path}} {{.Version}}", "all", GOPROXY=goproxy, GOMODCACHE=needed).stdout
    folder = str(bench.folder / "filled")
    for arguments in (("run",), ("fill", folder)):
        done = bench.run(*arguments, GOPROXY=goproxy)
        assert done.status == 0, done.text
        assert "warning" not in done.stderr
    assert selected(bench) == sorted(by_go.splitlines())
    bench.forget_modcache()
    assert bench.run("run", "--report-file", str(bench.report_file), GOPROXY=goproxy).status == 0
    assert bench.report["outputs"]["cache-result"] == "exact"
    assert bench.report["download"]["bytes"] == 0
    assert bench.go(*listing).status == 0
    bench.forget_modcache()
    assert bench.go(*listing, GOPROXY=f"file://{folder},off").status == 0


def selected(bench: Workbench) -> list[str]:
    scope = resolve(Place(bench.project / "go.work", bench.project), "")
    assert scope.workspace
    graph = module_graph(scope, scope.workspace, ModuleFolder.at(bench.download_folder))
    assert not graph.unread
    return sorted(" ".join(module) for module in graph.selected.values())


@pytest.mark.parametrize("line", KEYS.read_text().splitlines())
def test_keys_of_real_projects_never_change(bench: Workbench, goproxy: str, line: str) -> None:
    name, digest, modules = line.split()
    projects = WORKSPACE if name == "workspace" else {"": name}
    for folder, module in projects.items():
        take_project(bench, goproxy, module, bench.project / folder)
    if name == "workspace":
        assert bench.go("work", "init", *(f"./{folder}" for folder in projects)).status == 0
    values = json.loads(bench.run("plan", "--format", "json").stdout)
    assert (values["key_parts"]["gosum_digest"], len(values["modules"])) == (digest, int(modules))


def assert_covered(bench: Workbench, goproxy: str, packages: list[str]) -> None:
    """Plan, run and let Go load every package and test."""
    needed = bench.folder / "needed"
    listing = ("list", "-deps", "-test", *packages)
    online = bench.go(*listing, GOPROXY=goproxy, GOMODCACHE=str(needed))  # writes go.work.sum
    assert online.status == 0, online.text
    sums = sum_files(bench.project)
    planned = plan(bench, "--format", "json")
    assert planned >= bench.module_files(needed / "cache" / "download") - informal(planned)
    done = bench.run("run", "--store", "none", GOPROXY=goproxy)
    assert done.status == 0, done.text
    offline = bench.go(*listing)
    assert offline.status == 0, offline.text
    assert offline.stdout == online.stdout
    assert sum_files(bench.project) == sums


def informal(planned: set[str]) -> set[str]:
    """The .info of modules whose zip is not needed: Go may ask for them, and builds without."""
    zips = {name.removesuffix(".zip") for name in of_kind("zip", planned)}
    mods = {name.removesuffix(".mod") for name in of_kind("mod", planned)}
    return {f"{stem}.info" for stem in mods - zips}


def take_project(bench: Workbench, goproxy: str, module: str, folder: Path) -> None:
    """A module as its authors published it, in a folder that may be written to."""
    source = bench.folder / "source"
    source.mkdir(exist_ok=True)
    told = bench.go("mod", "download", "-json", module, cwd=source, GOPROXY=goproxy, GOMODCACHE=str(source))
    assert told.status == 0, told.text
    shutil.copytree(json.loads(told.stdout)["Dir"], folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def plan(bench: Workbench, *arguments: str) -> set[str]:
    """The names of all planned files."""
    done = bench.run("plan", *arguments)
    assert done.status == 0, done.text
    values: dict[str, Any] = json.loads(done.stdout)
    assert values["warnings"] == []
    return {file["name"] for file in values["files"]}


def of_kind(kind: str, names: Iterable[str]) -> set[str]:
    return {name for name in names if name.endswith(f".{kind}")}


def sum_files(folder: Path) -> dict[str, bytes]:
    """Every go.mod, go.sum, go.work and go.work.sum."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("go.*") if path.is_file()}
