"""`go-prefetch docker --dockerfile`: what is printed for which project, and that our own check finds nothing in it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts
from tests.support.same_process import prefetch
from tests.support.snapshots import TextFile
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
MAIN = "package main\n\nfunc main() {}\n"


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def printed(bench: Workbench, kind: str = "buildkit", *arguments: str, cwd: Path | None = None) -> str:
    """The Dockerfile, in which `--check` finds nothing."""
    done = prefetch(bench, "docker", "--dockerfile", kind, *arguments, cwd=cwd, PATH=str(bench.folder))
    assert done.status == 0, done.text
    (bench.folder / "Dockerfile").write_text(done.stdout)
    checked = prefetch(bench, "docker", "--check", str(bench.folder / "Dockerfile"))
    assert (checked.status, "nothing found" in checked.stdout) == (0, True), checked.stdout
    return done.stdout


@pytest.mark.parametrize("kind", ["buildkit", "plain"])
def test_one_module(bench: Workbench, snapshot: SnapshotAssertion, kind: str) -> None:
    """The whole file, for builders with named contexts and for the others."""
    bench.write_project((LIB,))
    assert printed(bench, kind) == snapshot(extension_class=TextFile)


def test_workspace(bench: Workbench, snapshot: SnapshotAssertion) -> None:
    """go.work with all its members' go.mod, the list of modules, libraries below programs, every program named."""
    bench.write_project((LIB,))
    gomod, gosum = ((bench.project / name).read_text() for name in ("go.mod", "go.sum"))
    for path in list(bench.project.iterdir()):
        path.unlink()
    put(bench.project, {
        "go.work": "go 1.26.1\n\nuse ./api\nuse ./shared\n", "go.work.sum": "",
        "api/go.mod": gomod.replace("\ngo ", "\ntoolchain go1.25.1\n\ngo "), "api/go.sum": gosum,
        "api/cmd/server/main.go": MAIN, "api/cmd/worker/main.go": MAIN, "api/cmd/tool_test.go": MAIN,
        "api/internal/gen.go": f"//go:build ignore\n\n{MAIN}", "api/testdata/x/main.go": MAIN,
        "shared/go.mod": "module example.com/shared\n\ngo 1.24\n", "shared/shared.go": "package shared\n",
    })  # fmt: skip
    assert printed(bench) == snapshot(extension_class=TextFile)


def test_library_has_no_program(bench: Workbench) -> None:
    """A module without `package main` gets no image that cannot start: the build asks which program is meant."""
    bench.write_project((LIB,))
    for path in bench.project.glob("*.go"):
        path.write_text("package app\n")
    (bench.project / "folder with blanks").mkdir()
    (bench.project / "folder with blanks" / "main.go").write_text(MAIN)
    os.mkfifo(bench.project / "pipe.go")
    (bench.project / "endless.go").symlink_to("/dev/zero")
    text = printed(bench)
    assert "\nARG PROGRAM\n" in text
    assert text.splitlines()[-6].endswith("-o /out/app ${PROGRAM:?}")


def test_first_program_is_the_likeliest(bench: Workbench) -> None:
    """The root's, else what lies in cmd/; tools come last."""
    bench.write_project((LIB,))
    for path in bench.project.glob("*.go"):
        path.unlink()
    put(bench.project, {"build/tool/main.go": MAIN, "cmd/b/main.go": MAIN, "cmd/a/main.go": MAIN})
    assert "one of ./cmd/a, ./cmd/b, ./build/tool\nARG PROGRAM=./cmd/a\n" in printed(bench)
    put(bench.project, {"main.go": MAIN})
    assert "\nARG PROGRAM=.\n" in printed(bench)


def test_vendored_module_downloads_nothing(bench: Workbench) -> None:
    """vendor/ is a layer of its own; there is no folder of modules."""
    bench.write_project((LIB,))
    put(bench.project, {"vendor/modules.txt": f"# {LIB.path} {LIB.version}\n"})
    text = printed(bench)
    assert "COPY vendor/ vendor/" in text
    assert "GOFLAGS=-mod=vendor" in text
    assert "gomod" not in text


def test_local_replacement_beside_the_module(bench: Workbench) -> None:
    """The build context is what holds both; Go runs where go.mod lies."""
    bench.write_project((LIB,))
    put(bench.folder, {"beside/go.mod": "module example.com/beside\n\ngo 1.24\n", "beside/x.go": "package x\n"})
    gomod = bench.project / "go.mod"
    gomod.write_text(f"{gomod.read_text()}\nreplace example.com/beside => ../beside\n")
    text = printed(bench)
    assert "WORKDIR /src/project" in text
    assert "COPY project/go.mod project/go.sum /src/project/" in text
    assert "COPY beside/go.mod /src/beside/" in text
    assert "#   docker build --build-context gomod=.gomod -f Dockerfile ..\n" in text
    plain = printed(bench, "plain")
    assert "#   go-prefetch docker --output ../gomod\n#   docker build -f Dockerfile ..\n" in plain
    assert "COPY gomod/ /gomod/" in plain


@pytest.mark.parametrize("folder", ["with blanks", "$HOME", "glob*", "line\nRUN id"])
def test_names_that_mean_something_in_a_dockerfile_are_refused(bench: Workbench, folder: str) -> None:
    """No folder of a project can add an instruction, or be copied as another."""
    bench.write_project((LIB,))
    put(bench.project, {f"{folder}/go.mod": "module example.com/beside\n\ngo 1.24\n"})
    gomod = bench.project / "go.mod"
    quoted = json.dumps(f"./{folder}")
    gomod.write_text(f"{gomod.read_text()}\nreplace example.com/beside => {quoted}\n")
    done = prefetch(bench, "docker", "--dockerfile")
    assert (done.status, "[name-not-for-dockerfile]" in done.stderr) == (2, True), done.text


def test_cgo_gets_a_c_library(bench: Workbench) -> None:
    """A file that imports "C" decides on CGO_ENABLED and the image to run in."""
    bench.write_project((LIB,))
    put(bench.project, {"c.go": 'package main\n\nimport "C"\n'})
    text = printed(bench)
    assert "CGO_ENABLED=1" in text
    assert "base-debian12:nonroot" in text
    assert "BUILDPLATFORM" not in text


def test_a_found_file_that_is_no_module_does_not_count(bench: Workbench) -> None:
    put(
        bench.project,
        {"svc/go.mod": "module example.com/svc\n\ngo 1.24\n", "svc/main.go": "package main\n\nfunc main() {}\n"},
    )
    put(bench.project, {"web/go.mod": "// Keeps ./... out of here.\n"})
    printed = prefetch(bench, "docker", "--dockerfile", "-C", "*")
    assert printed.status == 0, printed.text
    assert "svc" in printed.stdout


def test_what_cannot_be_printed_says_why(bench: Workbench) -> None:
    """Two modules at once; a folder that a builder without named contexts could not reach; nothing to do."""
    bench.write_project((LIB,))
    outside = prefetch(
        bench, "docker", "--dockerfile", "plain", "--output", str(bench.folder / "elsewhere"), GOPROXY="off"
    )
    assert (outside.status, "[folder-outside-context]" in outside.stderr) == (2, True)
    assert not (bench.folder / "elsewhere").exists()
    put(bench.folder, {"other/go.mod": "module example.com/other\n\ngo 1.24\n"})
    both = prefetch(bench, "docker", "--dockerfile", "--working-directory", ".", "--working-directory", "../other")
    assert (both.status, "[one-module-only]" in both.stderr) == (2, True)
    nothing = prefetch(bench, "docker")
    assert (nothing.status, "[usage]" in nothing.stderr) == (2, True)
    os.mkfifo(bench.project / "pipe")
    for name in ("nowhere/Dockerfile", "pipe"):
        unreadable = prefetch(bench, "docker", "--check", name)
        assert (unreadable.status, "[dockerfile-unreadable]" in unreadable.stderr) == (2, True)
    for name in ("nowhere", "go.mod"):
        elsewhere = prefetch(bench, "docker", "--dockerignore", "--context", name)
        assert (elsewhere.status, "[context-not-a-folder]" in elsewhere.stderr) == (2, True)
    assert not (bench.project / "nowhere").exists()


def test_findings_have_file_line_name_and_advice(bench: Workbench) -> None:
    """One line each, exit status 1."""
    bench.write_project((LIB,))
    put(bench.project, {"Dockerfile": "FROM golang:1.24\nCOPY . .\nRUN go mod download\n"})
    done = prefetch(bench, "docker", "--check", "Dockerfile")
    assert done.status == 1
    assert done.stdout.startswith(
        "Dockerfile:2: error: copy-before-download: . is copied above the download of the modules. Every change "
    )


def test_program_named_like_the_module_is_preferred(bench: Workbench) -> None:
    """Also with a major version, and above `cmd/`'s others. Placeholders and other systems come last or not at all."""
    bench.write_project((LIB,))
    for path in bench.project.glob("*.go"):
        path.unlink()
    gomod = bench.project / "go.mod"
    gomod.write_text(gomod.read_text().replace("module example.com/app", "module example.com/app/v2"))
    full = "package main\n\nfunc main() { run() }\n"
    put(bench.project, {
        "cmd/admin/main.go": full, "cmd/app/main.go": full, "tools/gen/main.go": full, "cmd/a/main.go": MAIN,
        "cmd/service/main_windows.go": full, "cmd/tools/tools.go": f"//go:build tools\n\n{full}",
        "cmd/mac/main.go": f"//go:build darwin && cgo\n\n{full}", "cmd/lib/lib.go": "package main\n",
    })  # fmt: skip
    assert "one of ./cmd/app, ./cmd/admin, ./tools/gen, ./cmd/a\nARG PROGRAM=./cmd/app\n" in printed(bench)


@pytest.mark.parametrize(
    ("go", "image"),
    [("1.16", "1.21"), ("1.26", "1.26"), ("1.26.0", "1.26"), ("1.26.9", "1.26.9"), ("1.27rc1", "1.27rc1")],
)
def test_image_has_the_go_that_go_mod_asks_for(bench: Workbench, go: str, image: str) -> None:
    bench.write_project((LIB,))
    gomod = bench.project / "go.mod"
    gomod.write_text(
        "".join(f"go {go}\n" if line.startswith("go ") else line for line in gomod.read_text().splitlines(True))
    )
    assert f"golang:{image}-bookworm\n" in printed(bench)


CGO = '/*\n#include <stdio.h>\n*/\nimport "C"\n'
SQLITE = FakeModule("example.com/sqlite", "v1.0.0", files={"sqlite.go": f"package sqlite\n\n{CGO}"})


def test_cgo_of_a_dependency_is_found_in_the_folder(bench: Workbench) -> None:
    """Without its zip it is not known, which is said; with it, the image has a C library."""
    bench.write_project((SQLITE,))
    put(bench.project, {"main.go": f'package main\n\nimport _ "{SQLITE.path}"\n\nfunc main() {{}}\n'})
    unknown = prefetch(bench, "docker", "--dockerfile", PATH=str(bench.folder))
    assert unknown.notice("cgo-unknown")
    assert "\n# Unknown whether a module needs cgo: " in unknown.stdout
    assert "CGO_ENABLED=0" in unknown.stdout
    with ModuleProxy((SQLITE,)) as proxy:
        known = prefetch(
            bench, "docker", "--dockerfile", "--output", ".gomod", GOPROXY=proxy.url, PATH=str(bench.folder)
        )
    assert known.status == 0, known.text
    assert "# Unknown" not in known.stdout
    assert "CGO_ENABLED=1" in known.stdout
    assert "base-debian12" in known.stdout


def test_cgo_of_another_system_stays_off(bench: Workbench) -> None:
    bench.write_project((LIB,))
    put(
        bench.project,
        {"mac_darwin.go": f"package main\n\n{CGO}", "w.go": f"//go:build windows\n\npackage main\n\n{CGO}"},
    )
    assert "CGO_ENABLED=0" in printed(bench)


def test_dockerignore_that_hides_go_mod_is_refused(bench: Workbench) -> None:
    """Before anything is filled. Also one that hides the folder of the plain file."""
    bench.write_project((LIB,))
    for text, kind in (("*\n!*.go\n", "buildkit"), ("gomod\n", "plain")):
        (bench.project / ".dockerignore").write_text(text)
        done = prefetch(bench, "docker", "--dockerfile", kind, "--output", "gomod", GOPROXY="off")
        assert (done.status, "[dockerignore-hides-build]" in done.stderr) == (2, True), done.text
        assert not (bench.project / "gomod").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--check", "nowhere"),
        ("--dockerignore", "--context", "nowhere"),
        ("--dockerignore", "--context", "folder"),
        ("--check", "Dockerfile", "--context", "bad"),
    ],
)
def test_inputs_are_refused_before_the_folder_is_filled(bench: Workbench, arguments: tuple[str, ...]) -> None:
    bench.write_project((LIB,))
    put(bench.project, {"Dockerfile": "FROM golang:1.24\n", "bad/.dockerignore": "[\n", "folder/.dockerignore/x": ""})
    done = prefetch(bench, "docker", "--output", "gomod", *arguments, GOPROXY="off")
    assert done.status == 2, done.text
    assert not (bench.project / "gomod").exists()


def test_embedded_files_outside_git_are_named(bench: Workbench) -> None:
    """With file and line, and only where git tracks something."""
    bench.write_project((LIB,))
    put(bench.project, {
        "web/web.go": 'package web\n\nimport _ "embed"\n\n//go:embed dist page.html\nvar files string\n',
        "web/page.html": "x", "web/dist/app.js": "x", ".gitignore": "dist\n",
    })  # fmt: skip
    assert "embed-untracked" not in prefetch(bench, "docker", "--dockerfile").stderr
    for command in (("init", "-q"), ("add", ".")):
        assert bench.program(["git", *command]).status == 0
    said = prefetch(bench, "docker", "--dockerfile").notice("embed-untracked")
    assert facts(said) == {"path": "web/dist", "source": "web/web.go:5"}


def test_private_modules_have_a_secret_mount(bench: Workbench) -> None:
    """The folder is still asked first, which it would not be with GOPRIVATE."""
    bench.write_project((LIB,))
    for kind in ("buildkit", "plain"):
        done = prefetch(bench, "docker", "--dockerfile", kind, GOPRIVATE="example.com/*", PATH=str(bench.folder))
        assert done.status == 0, done.text
        assert "--mount=type=secret,id=netrc,target=/root/.netrc go mod download\n" in done.stdout
        assert 'ARG GONOPROXY=none\nARG GONOSUMDB="example.com/*"\n' in done.stdout
        assert "--secret id=netrc,src=$HOME/.netrc" in done.stdout
    odd = prefetch(bench, "docker", "--dockerfile", GOPRIVATE='example.com/*,a"\nRUN id')
    assert (odd.status, "[name-not-for-dockerfile]" in odd.stderr) == (2, True)


def test_private_modules_that_are_missing_fail_with_a_recipe(bench: Workbench) -> None:
    bench.write_project((LIB,))
    done = prefetch(bench, "docker", "--output", "gomod", GOPRIVATE="example.com", GOPROXY="https://proxy.invalid")
    assert done.status == 1, done.text
    assert done.notice("private-left-to-go")
    assert "--secret id=netrc,src=$HOME/.netrc" in done.stdout
    assert "  ARG GONOPROXY=none\n" in done.stdout


@pytest.mark.parametrize("folder", ["/elsewhere", "../missing"])
def test_folder_that_no_image_has_is_refused(bench: Workbench, folder: str) -> None:
    """Before anything is filled, and only if the module is required."""
    bench.write_project((LIB,))
    gomod = bench.project / "go.mod"
    gomod.write_text(f"{gomod.read_text()}\nreplace example.com/other => {folder}\n")
    assert prefetch(bench, "docker", "--dockerfile").status == 0
    gomod.write_text(f"{gomod.read_text()}\nrequire example.com/other v1.0.0\n")
    done = prefetch(bench, "docker", "--dockerfile", "--output", "gomod", GOPROXY="off")
    assert (done.status, "[folder-not-in-image]" in done.stderr) == (2, True), done.text
    assert not (bench.project / "gomod").exists()


def test_image_has_the_go_that_a_dependency_asks_for(bench: Workbench) -> None:
    """An old go.mod does not know it. Go refuses modules that need a newer one."""
    newer = FakeModule("example.com/newer", "v1.0.0", go="1.23.4")
    bench.write_project((newer,))
    gomod = bench.project / "go.mod"
    gomod.write_text(re.sub(r"(?m)^go .*", "go 1.18", gomod.read_text()))
    assert "golang:1.21-bookworm\n" in prefetch(bench, "docker", "--dockerfile").stdout
    with ModuleProxy((newer,)) as proxy:
        filled = prefetch(bench, "docker", "--dockerfile", "--output", "gomod", GOPROXY=proxy.url)
    assert "golang:1.23.4-bookworm\n" in filled.stdout


def test_embedded_files_that_dockerignore_excludes_are_named(bench: Workbench) -> None:
    bench.write_project((LIB,))
    put(bench.project, {
        "web.go": 'package main\n\nimport "embed"\n\n//go:embed dist conf/*.yml\nvar files embed.FS\n',
        ".dockerignore": "dist\nconf\n!conf/a.yml\n",
    })  # fmt: skip
    said = prefetch(bench, "docker", "--dockerfile").notice("embed-excluded")
    assert facts(said) == {"path": "dist", "source": "web.go:5", "ignore": bench.project / ".dockerignore"}
