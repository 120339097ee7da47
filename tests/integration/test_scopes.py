"""What is in scope: folders, globs, workspaces, replacements; and after a run Go needs no proxy in any of them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.render.record import parse_record
from go_prefetch.run.steps.discover import Place
from go_prefetch.run.steps.resolve import resolve
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import HELLO, FakeModule, escape, old_user_of, package_name, write_project
from tests.support.notices import facts
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16")
LIB = FakeModule("example.com/lib", "v1.2.3", requires=((TOML.path, TOML.version),))
NEWER_LIB = FakeModule("example.com/lib", "v1.3.0", requires=((TOML.path, TOML.version),))
MAJOR = FakeModule("example.com/major/v2", "v2.0.1")
FORK = FakeModule("example.com/fork", "v0.5.0")
CHAIN = old_user_of(TOML)
MODULES = (TOML, LIB, NEWER_LIB, MAJOR, FORK, CHAIN)


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(MODULES) as server:
        yield server


def run(bench: Workbench, proxy: ModuleProxy, *arguments: str, cwd: str = ".", **variables: str) -> Result:
    """`go-prefetch run` with a report file and without a store."""
    report = ("--store", "none", "--report-file", str(bench.report_file))
    return prefetch(bench, "run", *report, *arguments, cwd=bench.project / cwd, GOPROXY=proxy.url, **variables)


def plan(bench: Workbench, *arguments: str, **variables: str) -> dict[str, Any]:
    done = prefetch(bench, "plan", "--format", "json", *arguments, **variables)
    assert done.status == 0, done.text
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def modules_asked(proxy: ModuleProxy) -> list[str]:
    """The zips asked for, as PATH@VERSION, in order of name."""
    of_zip = {f"{escape(m.path)}/@v/{m.version}.zip": f"{m.path}@{m.version}" for m in MODULES}
    return sorted(of_zip[path] for path in set(proxy.paths()) if path.endswith(".zip"))


def state(root: Path) -> dict[str, bytes]:
    """Every go.mod, go.sum, go.work and their sums."""
    return {str(path): path.read_bytes() for path in root.rglob("go.*") if path.is_file()}


def replace(folder: Path, *lines: str) -> None:
    """Add replacements to a go.mod."""
    with (folder / "go.mod").open("a") as gomod:
        gomod.writelines(f"\nreplace {line}\n" for line in lines)


def write_gowork(root: Path, members: Iterable[str], *lines: str, name: str = "go.work") -> None:
    uses = "".join(f"use ./{member}\n" for member in members)
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(f"go 1.21\n\n{uses}" + "".join(f"\nreplace {line}\n" for line in lines))


def write_local(folder: Path, path: str) -> None:
    """A module of that path in a folder of the project, which no proxy has."""
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(f"module {path}\n\ngo 1.21\n")
    (folder / "lib.go").write_text(f'package {package_name(path)}\n\n{HELLO} {{ return "local" }}\n')


@dataclass(frozen=True)
class Shape:
    """A way to lay out a project: what is planned, and where Go then builds offline."""

    write: Callable[[Path], None]
    zips: Sequence[FakeModule]
    arguments: Sequence[str] = ()
    builds: Sequence[tuple[str, str]] = ((".", "./..."),)  # folder and packages
    cwd: str = "."
    variables: dict[str, str] = field(default_factory=dict)
    downloads: bool = True  # `go mod download` wants no more than the plan, as Go promises for `go` >= 1.17


def two_modules(root: Path) -> None:
    write_project(root / "a", [LIB, TOML], path="example.com/a")
    write_project(root / "b", [NEWER_LIB, TOML, MAJOR], path="example.com/b")


def services(root: Path) -> None:
    for name, module in (("one", LIB), ("two", MAJOR)):
        write_project(root / "services" / name, [module], path=f"example.com/{name}")
    (root / "services" / "docs").mkdir()
    write_project(root / "other", [FORK], path="example.com/other")


def subfolder(root: Path) -> None:
    write_project(root, [LIB, TOML])
    (root / "internal" / "deep").mkdir(parents=True)


def superfluous_sums(root: Path) -> None:
    write_project(root, [LIB, TOML, MAJOR, NEWER_LIB], requires=[LIB, TOML])


def workspace(root: Path) -> None:
    two_modules(root)
    write_gowork(root, ("a", "b"))


def workspace_of_other_name(root: Path) -> None:
    two_modules(root)
    write_gowork(root, ("a", "b"), name="ci.work")
    shutil.move(root / "b" / "go.sum", root / "ci.work.sum")


def workspace_with_sums_of_its_own(root: Path) -> None:
    workspace(root)
    shutil.move(root / "b" / "go.sum", root / "go.work.sum")


def workspace_whose_members_need_each_other(root: Path) -> None:
    write_project(root / "a", [LIB, TOML], path="example.com/a")
    (root / "a" / "main.go").write_text('package a\n\nimport _ "example.com/lib"\n')
    write_project(root / "b", [MAJOR], path="example.com/b")
    (root / "b" / "go.mod").write_text(
        "module example.com/b\n\ngo 1.21\n\nrequire (\n\texample.com/a v0.0.0\n\texample.com/major/v2 v2.0.1\n)\n"
    )
    (root / "b" / "main.go").write_text(
        'package main\n\nimport (\n\t_ "example.com/a"\n\t_ "example.com/major/v2"\n)\n\nfunc main() {}\n'
    )
    # Go wants a required version of a member to exist, unless go.work says where it is.
    write_gowork(root, ("a", "b"), "example.com/a v0.0.0 => ./a")


def workspace_with_replacements(root: Path) -> None:
    """go.work replaces one module by a folder, a member another one by a fork."""
    write_project(root / "a", [LIB, TOML, FORK], requires=[LIB, TOML], path="example.com/a")
    write_project(root / "b", [MAJOR], path="example.com/b")
    replace(root / "a", f"{LIB.path} => {FORK.path} {FORK.version}")
    write_local(root / "local", MAJOR.path)
    write_gowork(root, ("a", "b"), f"{MAJOR.path} => ./local")


def workspace_whose_replacement_wins(root: Path) -> None:
    """Both replace the same module, the member one version of it: go.work's word goes first, as for Go."""
    write_project(root / "a", [LIB, TOML, FORK], requires=[LIB, TOML], path="example.com/a")
    replace(root / "a", f"{LIB.path} {LIB.version} => ../local")
    write_local(root / "local", LIB.path)
    write_gowork(root, ("a",), f"{LIB.path} => {FORK.path} {FORK.version}")


def workspace_that_goes_back(root: Path) -> None:
    """A replacement by an older version of the same module, whose newer one another go.sum names."""
    write_project(root / "a", [LIB, TOML], path="example.com/a")
    write_project(root / "b", [NEWER_LIB, TOML], path="example.com/b")
    write_gowork(root, ("a", "b"), f"{LIB.path} => {LIB.path} {LIB.version}")


def workspace_with_an_old_member(root: Path) -> None:
    write_project(root / "a", [CHAIN, TOML], requires=[CHAIN], path="example.com/a", go="1.16")
    write_project(root / "b", [MAJOR], path="example.com/b")
    write_gowork(root, ("a", "b"))


def old(root: Path) -> None:
    write_project(root, [CHAIN, TOML], requires=[CHAIN], go="1.16")


def without_go_line(root: Path) -> None:
    old(root)
    gomod = root / "go.mod"
    gomod.write_text(gomod.read_text().replace("go 1.16\n", ""))


def replaced_by_a_folder(root: Path) -> None:
    write_project(root, [MAJOR, LIB], requires=[MAJOR, LIB])
    replace(root, f"{LIB.path} => ./local")
    write_local(root / "local", LIB.path)


def replaced_by_another_version(root: Path) -> None:
    write_project(root, [NEWER_LIB, TOML, LIB])
    replace(root, f"{LIB.path} => {LIB.path} {NEWER_LIB.version}")


def replaced_by_a_fork(root: Path) -> None:
    write_project(root, [LIB, TOML, FORK], requires=[LIB, TOML])
    replace(root, f"{LIB.path} => {FORK.path} {FORK.version}")


def replaced_in_one_version(root: Path) -> None:
    """Of three replacements the one of another version does not count, and the exact one goes before the general."""
    write_project(root, [LIB, TOML, FORK, MAJOR], requires=[LIB, TOML])
    replace(
        root,
        f"{LIB.path} {NEWER_LIB.version} => {MAJOR.path} {MAJOR.version}",
        f"{LIB.path} => {MAJOR.path} {MAJOR.version}",
        f"{LIB.path} {LIB.version} => {FORK.path} {FORK.version}",
    )


def linked_gomod(root: Path) -> None:
    """go.mod is a link; the module is where the link is."""
    write_project(root, [LIB, TOML])
    (root / "shared").mkdir()
    shutil.move(root / "go.mod", root / "shared" / "module.txt")
    (root / "go.mod").symlink_to(root / "shared" / "module.txt")


def another_gomod(root: Path) -> None:
    """What is built needs ci.mod; go.mod has only to be there."""
    write_project(root, [LIB, TOML])
    for kind in ("mod", "sum"):
        (root / f"go.{kind}").rename(root / f"ci.{kind}")
    (root / "go.mod").write_text(f"module example.com/app\n\ngo 1.21\n\nrequire {MAJOR.path} {MAJOR.version}\n")


def another_gomod_elsewhere(root: Path) -> None:
    another_gomod(root / "app")
    (root / "build files").mkdir()
    for kind in ("mod", "sum"):
        (root / "app" / f"ci.{kind}").rename(root / "build files" / f"ci.{kind}")


def another_gomod_seen_from_below(root: Path) -> None:
    another_gomod_elsewhere(root)
    (root / "app" / "cmd" / "tool").mkdir(parents=True)


AB = (("a", "./..."), ("b", "./..."))
TOGETHER = ((".", "./a/... ./b/..."),)

SHAPES = {
    "one module": Shape(superfluous_sums, [LIB, TOML]),
    "two folders": Shape(
        two_modules,
        [LIB, NEWER_LIB, TOML, MAJOR],
        ("--working-directory", "a", "--working-directory", "b"),
        AB,
    ),
    "two folders in one value, one of them twice": Shape(
        two_modules, [LIB, NEWER_LIB, TOML, MAJOR], ("--working-directory", "a\n./b\na/\n\n"), AB
    ),
    "glob": Shape(
        services,
        [LIB, MAJOR],
        ("--working-directory", "services/*"),
        (("services/one", "./..."), ("services/two", "./...")),
    ),
    "glob of any depth, and a folder that it matches": Shape(
        services,
        [LIB, MAJOR, FORK],
        ("--working-directory", "**", "--working-directory", "other"),
        (("services/one", "./..."), ("services/two", "./..."), ("other", "./...")),
    ),
    "subfolder of a module": Shape(subfolder, [LIB, TOML], ("--working-directory", "internal/deep")),
    "started in a subfolder": Shape(subfolder, [LIB, TOML], cwd="internal/deep"),
    "workspace": Shape(workspace, [NEWER_LIB, TOML, MAJOR], (), TOGETHER, downloads=False),
    "workspace, started in a member": Shape(workspace, [NEWER_LIB, TOML, MAJOR], (), TOGETHER, "a", downloads=False),
    "workspace with a go.work.sum": Shape(
        workspace_with_sums_of_its_own, [NEWER_LIB, TOML, MAJOR], (), TOGETHER, downloads=False
    ),
    "workspace whose members need each other": Shape(
        workspace_whose_members_need_each_other, [LIB, TOML, MAJOR], (), TOGETHER, downloads=False
    ),
    "workspace with replacements": Shape(workspace_with_replacements, [FORK, TOML], (), TOGETHER, downloads=False),
    "workspace whose replacement wins": Shape(
        workspace_whose_replacement_wins, [FORK, TOML], (), ((".", "./a/..."),), downloads=False
    ),
    "workspace that goes back to an older version": Shape(
        workspace_that_goes_back, [LIB, TOML], (), TOGETHER, downloads=False
    ),
    "workspace with an old member": Shape(
        workspace_with_an_old_member, [CHAIN, TOML, MAJOR], (), TOGETHER, downloads=False
    ),
    "GOWORK=off": Shape(workspace, [LIB, TOML], (), (("a", "./..."),), "a", {"GOWORK": "off"}),
    "GOWORK=auto": Shape(workspace, [NEWER_LIB, TOML, MAJOR], (), TOGETHER, ".", {"GOWORK": "auto"}, downloads=False),
    "-modfile": Shape(
        another_gomod, [LIB, TOML], variables={"GOFLAGS": "-modfile=old.mod -modcacherw --modfile=ci.mod"}
    ),
    "-modfile in another folder": Shape(
        another_gomod_elsewhere,
        [LIB, TOML],
        ("--working-directory", "app"),
        (("app", "./..."),),
        variables={"GOFLAGS": "-modcacherw '-modfile=../build files/ci.mod'"},
    ),
    "-modfile relative to a folder of the module": Shape(
        another_gomod_seen_from_below,
        [LIB, TOML],
        cwd="app/cmd/tool",
        builds=(("app/cmd/tool", "../.."),),
        variables={"GOFLAGS": "-modcacherw '-modfile=../../../build files/ci.mod'"},
    ),
    "go 1.16": Shape(old, [CHAIN, TOML], downloads=False),
    "replaced by a folder": Shape(replaced_by_a_folder, [MAJOR]),
    "replaced by another version": Shape(replaced_by_another_version, [NEWER_LIB, TOML]),
    "replaced by a fork": Shape(replaced_by_a_fork, [FORK, TOML]),
    "replaced in one version": Shape(replaced_in_one_version, [FORK, TOML]),
    "linked go.mod": Shape(linked_gomod, [LIB, TOML]),
}


@pytest.mark.parametrize("shape", [pytest.param(shape, id=name) for name, shape in SHAPES.items()])
def test_scope_is_planned_and_then_complete(bench: Workbench, proxy: ModuleProxy, shape: Shape) -> None:
    """Exactly these zips are asked for, each file once; then Go builds offline, and no file of the project changed."""
    shape.write(bench.project)
    before = state(bench.project)
    done = run(bench, proxy, *shape.arguments, cwd=shape.cwd, **shape.variables)
    assert done.status == 0, done.text
    assert bench.warnings == []
    assert modules_asked(proxy) == sorted(f"{module.path}@{module.version}" for module in shape.zips)
    files = set(proxy.paths())
    assert len(proxy.paths()) <= len(files) + len(files) // 10  # of ten one may get a rival, where the machine pauses
    for folder, packages in shape.builds:
        assert_offline(bench, shape, bench.project / folder, packages)
    assert state(bench.project) == before


def assert_offline(bench: Workbench, shape: Shape, folder: Path, packages: str) -> None:
    built = bench.go("build", "-o", os.devnull, *packages.split(), cwd=folder, **shape.variables)
    assert built.status == 0, built.text
    if shape.downloads:
        downloaded = bench.go("mod", "download", cwd=folder, **shape.variables)
        assert downloaded.status == 0, downloaded.text


def test_missing_go_line_means_go_1_16(bench: Workbench, proxy: ModuleProxy) -> None:
    """Planned as `go` 1.16; that `go mod download` then writes the missing line is told, as any change of go.mod is."""
    without_go_line(bench.project)
    done = run(bench, proxy)
    assert done.status == 0, done.text
    assert modules_asked(proxy) == ["example.com/chain@v1.0.0", "github.com/BurntSushi/toml@v1.4.0"]
    assert bench.warnings == ["go-sum-changed"]
    assert done.notice("go-sum-changed").file == bench.project / "go.mod"
    assert bench.go("build", "-o", os.devnull, "./...").status == 0


def test_gowork_may_have_any_name_and_place(bench: Workbench, proxy: ModuleProxy) -> None:
    """GOWORK names a workspace file elsewhere: it is read as one, with the sums beside it that bear its name."""
    workspace_of_other_name(bench.project)
    gowork = str(bench.project / "ci.work")
    done = run(bench, proxy, cwd="a", GOWORK=gowork)
    assert done.status == 0, done.text
    assert plan(bench, GOWORK=gowork)["modules"] == [f"{m.path}@{m.version}" for m in (NEWER_LIB, MAJOR, TOML)]
    built = bench.go("build", "-o", os.devnull, "./a", cwd=bench.project, GOWORK=gowork)
    assert built.status == 0, built.text


def test_what_go_env_w_has_set_counts(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """GOFLAGS in the file that `go env -w` writes, the variable of that name empty."""
    another_gomod(bench.project)
    variables = {"GOENV": str(tmp_path / "goenv"), "GOFLAGS": ""}
    assert bench.go("env", "-w", "GOFLAGS=-modcacherw -modfile=ci.mod", **variables).status == 0
    done = run(bench, proxy, **variables)
    assert done.status == 0, done.text
    assert modules_asked(proxy) == sorted(f"{module.path}@{module.version}" for module in (LIB, TOML))


@pytest.mark.parametrize(("value", "zips"), [("ci.work", [NEWER_LIB, MAJOR, TOML]), ("off", [LIB, TOML])])
def test_gowork_of_the_file_of_go_env_counts(
    bench: Workbench, proxy: ModuleProxy, tmp_path: Path, value: str, zips: list[FakeModule]
) -> None:
    """`go env -w` refuses to set GOWORK; Go heeds a line that somebody wrote there, and so do we."""
    workspace_of_other_name(bench.project) if value == "ci.work" else workspace(bench.project)
    variables = {"GOENV": str(tmp_path / "goenv"), "GOWORK": ""}
    refused = bench.go("env", "-w", "GOWORK=off", cwd=tmp_path, **variables)
    assert "GOWORK cannot be modified" in refused.stderr
    written = value if value == "off" else str(bench.project / value)
    (tmp_path / "goenv").write_text(f"GOWORK={written}\n")
    assert bench.go("env", "GOWORK", cwd=bench.project / "a", **variables).stdout.strip() == written
    done = run(bench, proxy, cwd="a", **variables)
    assert done.status == 0, done.text
    assert modules_asked(proxy) == sorted(f"{module.path}@{module.version}" for module in zips)


@pytest.mark.parametrize(
    ("write", "modfile", "case"),
    [(another_gomod, "none.mod", "missing"), (another_gomod, "ci.txt", "name"), (workspace, "ci.mod", "workspace")],
    ids=["not there", "another ending", "workspace"],
)
def test_a_modfile_that_go_refuses_is_refused(
    bench: Workbench, proxy: ModuleProxy, write: Callable[[Path], None], modfile: str, case: str
) -> None:
    """Before anything is asked, with what is wrong; Go says no too."""
    write(bench.project)
    variables = {"GOFLAGS": f"-modcacherw -modfile={modfile}"}
    done = run(bench, proxy, **variables)
    assert done.status == 2, done.text
    error = done.notice("modfile-invalid")
    assert (error.case, facts(error)["modfile"]) == (case, modfile)
    assert proxy.paths() == []
    assert bench.go("mod", "download", **variables).status == 1


def tracked(bench: Workbench, *folders: str) -> None:
    """A git repository in which these folders, each with a module, are tracked."""
    git = ("git", "-c", "init.defaultBranch=main")
    bench.project.mkdir(parents=True, exist_ok=True)
    bench.program([*git, "init", "-q"])
    for folder in folders:
        write_project(bench.project / folder, [MAJOR], path="example.com/" + folder.replace("/", ""))
    assert bench.program([*git, "add", "--force", "."]).status == 0


def test_folder_without_gomod_means_tracked_modules_below(bench: Workbench, proxy: ModuleProxy) -> None:
    """What git tracks is in scope, at any depth; what Go would not look into, and what is not tracked, is not."""
    skipped = ("vendor/x", "testdata/x", "a/testdata/x", "_x", ".hidden", "node_modules/x")
    tracked(bench, "a", "deep/er/b", *skipped)
    write_project(bench.project / "untracked", [FORK], path="example.com/untracked")
    assert [definition["file"] for definition in plan(bench)["definitions"]] == [
        str(bench.project / "a" / "go.mod"),
        str(bench.project / "deep" / "er" / "b" / "go.mod"),
    ]
    done = run(bench, proxy)
    assert done.status == 0, done.text
    assert modules_asked(proxy) == ["example.com/major/v2@v2.0.1"]


def test_tracked_workspace_below_counts_once(bench: Workbench) -> None:
    """A go.work below takes in its members: they are no scopes of their own."""
    tracked(bench, "w/a", "w/b", "other")
    write_gowork(bench.project / "w", ("a", "b"))
    bench.program(["git", "add", "w/go.work"])
    assert [definition["file"] for definition in plan(bench)["definitions"]] == [
        str(bench.project / "other" / "go.mod"),
        str(bench.project / "w" / "go.work"),
    ]


def test_tracked_but_deleted_module_does_not_count(bench: Workbench) -> None:
    """git still lists a file that is gone from the working tree (a sparse checkout): it is passed over."""
    tracked(bench, "a", "b")
    shutil.rmtree(bench.project / "a")
    assert [definition["file"] for definition in plan(bench)["definitions"]] == [str(bench.project / "b" / "go.mod")]


def vendored(bench: Workbench, proxy: ModuleProxy) -> None:
    write_project(bench.project, [LIB, TOML])
    assert bench.go("mod", "vendor", GOPROXY=proxy.url).status == 0


def vendored_workspace(bench: Workbench, proxy: ModuleProxy) -> None:
    two_modules(bench.project)
    write_gowork(bench.project, ("a", "b"))
    gowork = bench.project / "go.work"
    gowork.write_text(gowork.read_text().replace("go 1.21", "go 1.22"))
    assert bench.go("work", "vendor", GOPROXY=proxy.url).status == 0


def no_requirements(bench: Workbench, proxy: ModuleProxy) -> None:
    write_project(bench.project, [])
    (bench.project / "go.sum").unlink()


def no_requirements_and_stale_sums(bench: Workbench, proxy: ModuleProxy) -> None:
    write_project(bench.project, [LIB, TOML], requires=[])


def workspace_without_requirements(bench: Workbench, proxy: ModuleProxy) -> None:
    for name in ("a", "b"):
        write_project(bench.project / name, [], path=f"example.com/{name}")
    write_gowork(bench.project, ("a", "b"))


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        pytest.param(vendored, ("vendored", ""), id="vendored"),
        pytest.param(vendored_workspace, ("vendored", ""), id="vendored workspace"),
        pytest.param(no_requirements, ("no-requirements", ""), id="no requirements, no go.sum"),
        pytest.param(no_requirements_and_stale_sums, ("no-requirements", ""), id="no requirements, stale go.sum"),
        pytest.param(
            workspace_without_requirements, ("no-requirements", "workspace"), id="workspace without requirements"
        ),
    ],
)
def test_nothing_to_do_is_disabled(
    bench: Workbench, proxy: ModuleProxy, write: Callable[[Workbench, ModuleProxy], None], reason: tuple[str, str]
) -> None:
    """Result `disabled`, status 0, one line that says why, no request and no module cache; Go builds offline."""
    write(bench, proxy)
    bench.forget_modcache()
    proxy.clear()
    done = run(bench, proxy)
    assert done.status == 0, done.text
    line, record = done.stdout.splitlines()
    assert line.startswith("go-prefetch: ")
    assert parse_record(record)
    assert [(one.slug, one.case) for one in done.notices if one.slug in ("vendored", "no-requirements")] == [reason]
    assert bench.outputs["cache-result"] == "disabled"
    assert bench.outputs["cache-hit"] == "false"
    assert proxy.paths() == []
    assert not bench.modcache.exists()
    built = bench.go("build", "-o", os.devnull, *("./a", "./b") if (bench.project / "a").exists() else ("./...",))
    assert built.status == 0, built.text


def vendored_before_go_1_14(bench: Workbench, proxy: ModuleProxy) -> dict[str, str]:
    write_project(bench.project, [TOML])
    assert bench.go("mod", "vendor", GOPROXY=proxy.url).status == 0
    gomod = bench.project / "go.mod"
    gomod.write_text(gomod.read_text().replace("go 1.21", "go 1.13"))
    return {}


def vendored_with_mod_flag(bench: Workbench, proxy: ModuleProxy) -> dict[str, str]:
    vendored(bench, proxy)
    return {"GOFLAGS": "-modcacherw -mod=readonly"}


def vendored_module_in_a_workspace(bench: Workbench, proxy: ModuleProxy) -> dict[str, str]:
    """vendor/ lies beside go.work, but `go mod vendor` made it."""
    vendored(bench, proxy)
    (bench.project / "go.work").write_text("go 1.21\n\nuse .\n")
    return {}


def vendored_workspace_left(bench: Workbench, proxy: ModuleProxy) -> dict[str, str]:
    """vendor/ lies beside go.mod, but `go work vendor` made it, and GOWORK is off."""
    write_project(bench.project, [LIB, TOML])
    (bench.project / "go.work").write_text("go 1.22\n\nuse .\n")
    assert bench.go("work", "vendor", GOPROXY=proxy.url).status == 0
    return {"GOWORK": "off"}


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(vendored_before_go_1_14, id="go 1.13"),
        pytest.param(vendored_with_mod_flag, id="-mod=readonly"),
        pytest.param(vendored_module_in_a_workspace, id="a module's vendor folder in a workspace"),
        pytest.param(vendored_workspace_left, id="a workspace's vendor folder with GOWORK=off"),
    ],
)
def test_vendor_folder_that_go_does_not_heed_is_not_heeded(
    bench: Workbench, proxy: ModuleProxy, write: Callable[[Workbench, ModuleProxy], dict[str, str]]
) -> None:
    """Where Go would read the module cache in spite of vendor/, the module cache is filled."""
    variables = write(bench, proxy)
    bench.forget_modcache()
    emptied = bench.go("build", "-o", os.devnull, "./...", **variables)
    assert emptied.status != 0, "Go heeds vendor/ here"
    done = run(bench, proxy, **variables)
    assert done.status == 0, done.text
    assert bench.outputs["cache-result"] == "miss"
    built = bench.go("build", "-o", os.devnull, "./...", **variables)
    assert built.status == 0, built.text


def test_missing_gosum_is_for_go_to_judge(bench: Workbench, proxy: ModuleProxy) -> None:
    """With requirements and no go.sum, our status is that of `go mod download`, and go.sum is as Go leaves it."""
    write_project(bench.project, [LIB, TOML])
    (bench.project / "go.sum").unlink()
    own = bench.go("mod", "download", GOPROXY=proxy.url)
    left_by_go = state(bench.project)
    bench.forget_modcache()
    (bench.project / "go.sum").unlink(missing_ok=True)
    done = run(bench, proxy)
    assert (done.status == 0) == (own.status == 0), done.text
    assert state(bench.project) == left_by_go
    assert bench.warnings == ["go-sum-changed", "go-sum-lacks"]


@pytest.mark.parametrize("write", [pytest.param(old, id="go 1.16"), pytest.param(workspace, id="workspace")])
def test_missing_gosum_with_an_explicit_list_is_a_warning(
    bench: Workbench, proxy: ModuleProxy, write: Callable[[Path], None]
) -> None:
    """Where Go gets a list, and the list is empty for want of sums, the run warns of what is missing."""
    write(bench.project)
    for gosum in bench.project.rglob("go.sum"):
        gosum.unlink()
    done = run(bench, proxy)
    assert done.status == 0, done.text
    assert bench.warnings == ["go-sum-missing"]
    assert done.stderr.count("[go-sum-missing]") == 1
    assert proxy.paths() == []


GOOD_MOD = "module example.com/app\n\ngo 1.21\n\nrequire example.com/lib v1.2.3\n"
BAD_FILES = {
    "go.mod: bad line": (
        "go.mod",
        "module example.com/app\n\nrequire example.com/lib\n",
        "go.mod:3",
        "go-mod-malformed",
    ),
    "go.mod: open block": ("go.mod", GOOD_MOD + "\nrequire (\n", "go.mod:7", "go-mod-malformed"),
    "go.mod: no module line": ("go.mod", "go 1.21\n", "go.mod:1", "go-mod-malformed"),
    "go.mod: empty": ("go.mod", "", "go.mod:1", "go-mod-malformed"),
    "go.mod: conflict": ("go.mod", GOOD_MOD + "<<<<<<< ours\n", "go.mod:6", "go-mod-malformed"),
    "go.mod: NUL": ("go.mod", GOOD_MOD + "\0\n", "go.mod:6", "go-mod-malformed"),
    "go.mod: not UTF-8": ("go.mod", b"// \xff\nmodule example.com/\xff\n", "go.mod:2", "go-mod-malformed"),
    "go.mod: string not UTF-8": ("go.mod", b'module "example.com/\xff"\n', "go.mod:1", "go-mod-malformed"),
    "go.mod: bad go line": ("go.mod", "module example.com/app\n\ngo one\n", "go.mod:3", "go-mod-malformed"),
    "go.sum: two fields": ("go.sum", LIB.go_sum + "example.com/x v1.0.0\n", "go.sum:3", "go-sum-malformed"),
    "go.sum: four fields": ("go.sum", "\n" + LIB.go_sum.replace("\n", " x\n"), "go.sum:2", "go-sum-malformed"),
    "go.sum: conflict": (
        "go.sum",
        LIB.go_sum + "<<<<<<< ours\n=======\n>>>>>>> theirs\n",
        "go.sum:3",
        "go-sum-conflict",
    ),
    "go.sum: NUL": ("go.sum", LIB.go_sum + "\0\0\0\0", "go.sum:3", "go-sum-malformed"),
    "go.sum: a web page": ("go.sum", "<!DOCTYPE html>\n<html>\n", "go.sum:1", "go-sum-malformed"),
    "go.work: bad line": ("go.work", "go 1.21\n\nuse\n", "go.work:3", "go-mod-malformed"),
    "go.work: conflict": ("go.work", "go 1.21\n=======\n", "go.work:2", "go-mod-malformed"),
}


@pytest.mark.parametrize(
    ("name", "content", "where", "slug"), [pytest.param(*row, id=key) for key, row in BAD_FILES.items()]
)
def test_malformed_file_is_named_with_its_line(
    bench: Workbench, proxy: ModuleProxy, name: str, content: str | bytes, where: str, slug: str
) -> None:
    """Status 3, file and line, nothing asked, nothing written; three lines at most."""
    write_project(bench.project, [LIB, TOML])
    (bench.project / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    before = state(bench.project)
    done = run(bench, proxy)
    assert done.status == 3, done.text
    known = facts(done.notice(slug))
    place = known.get("where") or f"{known.get('source') or known['path']}:{known['number']}"
    assert place == f"{bench.project}/{where}"
    assert bench.report["failure"]["slug"] == slug
    assert f"[{slug}]" in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert "Traceback" not in done.stderr
    assert proxy.paths() == []
    assert state(bench.project) == before


def test_files_that_are_not_utf_8_are_read_as_by_go(bench: Workbench, proxy: ModuleProxy) -> None:
    """A comment in Latin-1 is fine, and a line of go.sum that names no module is ignored with a warning."""
    write_project(bench.project, [LIB, TOML])
    gomod, gosum = bench.project / "go.mod", bench.project / "go.sum"
    gomod.write_bytes(b"// Gr\xfc\xdfe\n" + gomod.read_bytes())
    gosum.write_bytes(gosum.read_bytes() + b"\xfc v1.0.0 h1:x\n")
    done = run(bench, proxy)
    assert done.status == 0, done.text
    assert bench.warnings == ["go-sum-line-ignored"]
    assert bench.go("build", "-o", os.devnull, "./...").status == 0


@pytest.mark.parametrize("name", ["go.sum", "b/go.sum", "go.work.sum"])
def test_sums_that_cannot_be_read_are_named(bench: Workbench, proxy: ModuleProxy, name: str) -> None:
    """A file that is there and cannot be read (here a folder, which stops root too) is no absent file: status 3."""
    if name == "go.sum":
        write_project(bench.project, [LIB, TOML])
    else:
        workspace(bench.project)
    (bench.project / name).unlink(missing_ok=True)
    (bench.project / name).mkdir()
    done = run(bench, proxy)
    assert done.status == 3, done.text
    assert facts(done.notice("go-sum-unreadable"))["path"] == bench.project / name
    assert proxy.paths() == []


def test_missing_member_of_a_workspace_is_named(bench: Workbench, proxy: ModuleProxy) -> None:
    """go.work names a folder that is not checked out: status 3, the folder and the way out."""
    workspace(bench.project)
    shutil.rmtree(bench.project / "b")
    done = run(bench, proxy)
    assert done.status == 3, done.text
    known = facts(done.notice("go-work-member-missing"))
    assert (known["definition"], str(known["use"])) == (bench.project / "go.work", "./b")
    assert proxy.paths() == []


@pytest.mark.parametrize(
    ("folder", "slug"),
    [
        pytest.param(".", "go-mod-not-found", id="no go.mod"),
        pytest.param("empty", "go-mod-not-found", id="no go.mod in a folder"),
        pytest.param("empty*", "go-mod-not-found", id="glob that matches folders without go.mod"),
        pytest.param("no/*/such", "go-mod-not-found", id="glob that matches nothing"),
        pytest.param("em**ty", "go-mod-not-found", id="glob that is none"),
        pytest.param("[", "go-mod-not-found", id="glob that is not closed"),
        pytest.param("nonexistent", "folder-not-found", id="no such folder"),
        pytest.param("file", "folder-not-found", id="a file"),
        pytest.param("x" * 5000, "folder-not-found", id="a name no file system takes"),
        pytest.param("a/\x07bell", "folder-not-found", id="a control character"),
    ],
)
def test_folder_without_a_module_is_an_input_error(
    bench: Workbench, proxy: ModuleProxy, folder: str, slug: str
) -> None:
    """Status 2, the input's name and the way out; never a traceback."""
    (bench.project / "empty").mkdir(parents=True)
    (bench.project / "file").write_text("")
    done = run(bench, proxy, "--working-directory", folder)
    assert done.status == 2, done.text
    assert bench.report["failure"]["slug"] == slug
    assert f"[{slug}]" in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert proxy.paths() == []


def test_sums_that_never_end_are_named(bench: Workbench, proxy: ModuleProxy) -> None:
    """A repository may hold a link to a device."""
    write_project(bench.project, [LIB, TOML])
    (bench.project / "go.sum").unlink()
    (bench.project / "go.sum").symlink_to("/dev/zero")
    done = bench.program(["prlimit", f"--data={1 << 29}", *bench.command, "plan"])
    assert done.status == 3, done.text
    assert "[go-sum-unreadable]" in done.stderr


@pytest.mark.parametrize("name", ["go.sum", "go.mod"])
def test_a_file_larger_than_any_of_its_kind_is_named(bench: Workbench, name: str) -> None:
    """Or a link to one: it would take gigabytes of memory."""
    write_project(bench.project, [LIB, TOML])
    with (bench.project / name).open("ab") as file:
        file.truncate(64 << 20)
    done = prefetch(bench, "plan")
    assert done.status == 3, done.text
    (error,) = done.notices
    assert (error.slug, facts(error)["path"]) == (f"{name.replace('.', '-')}-unreadable", bench.project / name)


@pytest.mark.slow
def test_as_many_replacements_as_a_go_mod_can_hold(tmp_path: Path) -> None:
    """Each is looked up, not searched for: this would take minutes."""
    names = [f"example.com/m{number}" for number in range(40_000)]
    lines = [f"require {name} v1.0.0\nreplace {name} => {name}/fork v1.1.0\n" for name in names]
    (tmp_path / "go.mod").write_text("module example.com/app\n\ngo 1.21\n" + "".join(lines))
    assert len(resolve(Place(tmp_path / "go.mod", tmp_path), "").zips_without_sum) == len(names)


@pytest.mark.parametrize("path", ["example.com/" + "a/" * 1200 + "a", "example.com/" + "a" * 300])
def test_a_name_that_no_file_can_have_is_a_warning(bench: Workbench, proxy: ModuleProxy, path: str) -> None:
    """Go does not look at such a line unless it needs the module, so it is no reason to fail."""
    write_project(bench.project, [LIB, TOML], extra_go_sum=f"{path} v1.0.0/go.mod {LIB.h1_mod}\n")
    done = run(bench, proxy)
    assert done.status == 0, done.text
    assert bench.warnings == ["go-sum-line-ignored"]
    assert facts(done.notice("go-sum-line-ignored"))["number"] == 5


def test_a_module_path_is_no_command_to_the_runner(bench: Workbench) -> None:
    """A go.mod may give itself any name, a newline in it included."""
    write_project(bench.project, [LIB])
    go_mod = bench.project / "go.mod"
    go_mod.write_text(go_mod.read_text().replace("example.com/app", '"example.com/app\\n::set-output name=a::b"'))
    done = bench.run("plan", GITHUB_ACTIONS="true")
    assert done.status == 0, done.text
    assert not any(line.startswith("::set-output") for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", [".", "sub"])
def test_repository_inside_the_project_starts_no_program(bench: Workbench, tmp_path: Path, name: str) -> None:
    """A checkout may hold a bare repository as files, whose configuration makes `git ls-files` start a program."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    (tmp_path / "source/deep").mkdir(parents=True)
    for file in ("a", "deep/b"):
        (tmp_path / "source" / file).write_text("x\n")
    planted = tmp_path / "planted"
    for argv in (
        [*git, "-C", "source", "init", "-q"],
        [*git, "-C", "source", "add", "."],
        [*git, "-C", "source", "commit", "-qm", "All"],
        [*git, "-C", "source", "sparse-checkout", "init", "--cone", "--sparse-index"],
        [*git, "clone", "-q", "--bare", "source", "bare"],
    ):
        done = bench.program(argv, cwd=tmp_path, GIT_CONFIG_NOSYSTEM="1")
        assert done.status == 0, done.text
    bare = tmp_path / "bare"
    shutil.copy(tmp_path / "source/.git/index", bare / "index")
    shutil.rmtree(bare / "objects")
    (bare / "objects").mkdir()
    (bare / "config").write_text(
        "[core]\n repositoryformatversion = 1\n bare = true\n sparseCheckout = true\n sparseCheckoutCone = true\n"
        "[index]\n sparse = true\n[extensions]\n partialClone = origin\n"
        f'[remote "origin"]\n url = {tmp_path}/source\n promisor = true\n uploadpack = "touch {planted};"\n'
    )
    bare.rename(bench.project if name == "." else tmp_path / "sub")
    if name != ".":
        bench.project.mkdir()
        (tmp_path / "sub").rename(bench.project / "sub")
    result = bench.run("plan", "--working-directory", name)
    assert result.status == 2, result.text
    assert "[go-mod-not-found]" in result.text
    assert not planted.exists()


def test_folder_whose_name_looks_like_a_glob_is_that_folder(bench: Workbench, proxy: ModuleProxy) -> None:
    """`[id]` is a folder where there is one."""
    write_project(bench.project / "[id]", [MAJOR])
    done = run(bench, proxy, "--working-directory", "[id]")
    assert done.status == 0, done.text
    assert modules_asked(proxy) == ["example.com/major/v2@v2.0.1"]


def test_unknown_hash_is_a_warning(bench: Workbench, proxy: ModuleProxy) -> None:
    """A three-field line with a hash of the future is ignored, told by file and number, and fails nothing."""
    write_project(bench.project, [LIB, TOML], extra_go_sum="example.com/lib v1.2.3 h2:abc=\n")
    done = run(bench, proxy)
    assert done.status == 0, done.text
    assert bench.warnings == ["go-sum-line-ignored"]
    known = facts(done.notice("go-sum-line-ignored"))
    assert (known["source"], known["number"]) == (str(bench.project / "go.sum"), 5)
    assert bench.go("build", "-o", os.devnull, "./...").status == 0


def test_crlf_gosum_has_the_same_key_and_works(bench: Workbench, proxy: ModuleProxy) -> None:
    """A checkout with CRLF shares its entries with every other one."""
    write_project(bench.project, [LIB, TOML])
    key = plan(bench)["key"]
    for name in ("go.sum", "go.mod"):
        path = bench.project / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    done = run(bench, proxy)
    assert done.status == 0, done.text
    assert bench.outputs["cache-key"] == key
    assert bench.go("build", "-o", os.devnull, "./...").status == 0


@pytest.mark.system
def test_very_large_gosum_works(bench: Workbench, proxy: ModuleProxy) -> None:
    """20 MB of zip lines that nothing requires are read, planned by nobody, and in the way of nothing."""
    line = "example.com/generated/module/number{0}/of/a/very/long/path v1.0.{0} " + LIB.h1_zip + "\n"
    many = "".join(map(line.format, range(20_000_000 // len(line))))
    write_project(bench.project, [LIB, TOML], extra_go_sum=many)
    assert (bench.project / "go.sum").stat().st_size >= 20_000_000
    done = run(bench, proxy)
    assert done.status == 0, done.text
    assert modules_asked(proxy) == ["example.com/lib@v1.2.3", "github.com/BurntSushi/toml@v1.4.0"]
    write_project(bench.project, [LIB, TOML])
    assert plan(bench)["key"] == bench.outputs["cache-key"]


def test_an_empty_folder_asks_for_a_checkout(bench: Workbench) -> None:
    """A job may have forgotten it."""
    bench.project.mkdir()
    result = prefetch(bench, "plan")
    assert result.status == 2, result.text
    assert result.notice("go-mod-not-found").case == "empty"
