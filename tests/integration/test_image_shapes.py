"""Projects of every shape: BuildKit and buildah build what `docker` prints and fills, offline, and it starts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.image_builders import Buildah, BuildKit, Built, cgo_image
from tests.support.made_once import kept
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.system, pytest.mark.network, pytest.mark.nightly]  # minutes of builders at work

DEEP = FakeModule("example.com/deep", "v1.1.0", go="1.16")
OLD, NEW = (
    FakeModule("example.com/lib", version, go="1.16", requires=((DEEP.path, DEEP.version),))
    for version in ("v1.0.0", "v1.1.0")
)
C = '/*\nstatic int answer(void) { return 42; }\n*/\nimport "C"\n'
SQLITE = FakeModule("example.com/sqlite", "v1.0.0", files={
    "cgo.go": f"package sqlite\n\n{C}\nfunc Open() int {{ return int(C.answer()) }}\n",
    "mock.go": '//go:build !cgo\n\npackage sqlite\n\nfunc Open() int { panic("sqlite needs cgo") }\n',
})  # fmt: skip
MODULES = (DEEP, OLD, NEW, SQLITE)


def main(*lines: str, imports: str = "") -> str:
    return f'package main\n\nimport (\n\t"fmt"\n{imports})\n\nfunc main() {{\n\tfmt.Println({", ".join(lines)})\n}}\n'


@dataclass(frozen=True)
class Shape:
    """The files of a project, the modules that its go.sum has, and what the program prints."""

    files: Mapping[str, str]
    modules: tuple[FakeModule, ...] = ()
    prints: str = "right"
    cgo: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)


def gomod(path: str, *required: FakeModule, go: str = "1.24") -> str:
    lines = "".join(f"require {each.path} {each.version}\n" for each in required)
    return f"module example.com/{path}\n\ngo {go}\n\n{lines}"


USES_LIB = main('"right", lib.Hello() != ""', imports='\t"example.com/lib"\n')
SHAPES = {
    "workspace that disagrees on a version": Shape({
        "go.work": "go 1.24\n\nuse (\n\t./a\n\t./b\n\t./shared\n)\n",
        "a/go.mod": gomod("a", OLD, DEEP), "a/cmd/a/main.go": USES_LIB,
        "b/go.mod": gomod("b", NEW, DEEP), "b/b.go": 'package b\n\nimport _ "example.com/lib"\n',
        "shared/go.mod": gomod("shared"), "shared/shared.go": "package shared\n",
    }, (OLD, NEW, DEEP), "right true"),
    "go 1.16": Shape({"go.mod": gomod("old", OLD, go="1.16"), "main.go": USES_LIB}, (OLD, DEEP), "right true"),
    "cgo in a dependency only": Shape({
        "go.mod": gomod("db", SQLITE), "main.go": main('"right", sqlite.Open()', imports='\t"example.com/sqlite"\n'),
    }, (SQLITE,), "right 42", cgo=True),
    "cgo for macOS, mains for others, placeholders": Shape({
        "go.mod": gomod("tool", NEW, DEEP), "cmd/tool/main.go": USES_LIB, "cmd/admin/main.go": main('"wrong"'),
        "cmd/tool/keychain_darwin.go": f"package main\n\n{C}\nvar _ = C.answer()\n",
        "cmd/agent/main.go": f"//go:build windows\n\n{main(chr(34) + 'wrong' + chr(34))}",
        "tools/tools.go": "//go:build tools\n\npackage main\n\nfunc main() { x }\n",
        "a/main.go": "package main\n\nfunc main() {}\n",
    }, (NEW, DEEP), "right true"),
    "a placeholder and no module": Shape({
        "go.mod": gomod("app"), "main.go": "package main\n\nfunc main() {}\n",
    }, (), ""),
    "private modules": Shape({"go.mod": gomod("app", NEW, DEEP), "main.go": USES_LIB}, (NEW, DEEP), "right true",
                             variables={"GOPRIVATE": "example.com"}),
}  # fmt: skip


def lay_out(bench: Workbench, shape: Shape) -> None:
    """Write the project, with the go.sum of each module that has requirements."""
    bench.write_project(shape.modules)
    gosum = (bench.project / "go.sum").read_text() if shape.modules else ""
    shutil.rmtree(bench.project)
    for name, text in shape.files.items():
        path = bench.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.name == "go.mod" and "require" in text:
            path.with_name("go.sum").write_text(gosum)


def fill_and_print(bench: Workbench, shape: Shape, kind: str, folder: str) -> None:
    """Call the command as a user does: once, and the Dockerfile is what it prints."""
    with ModuleProxy(MODULES) as proxy:
        if "GOPRIVATE" in shape.variables:  # the job has logged in before
            assert bench.go("mod", "download", GOPROXY=proxy.url).status == 0
        arguments = ("--output", folder) if shape.modules else ()
        done = prefetch(
            bench, "docker", "--dockerfile", kind, *arguments, "--dockerignore", GOPROXY=proxy.url, **shape.variables
        )
    assert done.status == 0, done.text
    (bench.project / "Dockerfile").write_text(done.stdout)
    assert prefetch(bench, "docker", "--check", "Dockerfile").status == 0


def assert_it_starts(take: Callable[[str, Path], Path], bench: Workbench, shape: Shape) -> None:
    program = take("app", bench.folder / "app")
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, shape.prints), done.stderr


@pytest.fixture(scope="module")
def compiled() -> Path:
    """A build cache that these programs share: what is tested is not Go's compiler."""
    folder = kept() / "shapes"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("name", SHAPES)
def test_buildkit_builds(bench: Workbench, builders: tuple[Buildah, BuildKit], name: str) -> None:
    _, buildkit = builders
    shape = SHAPES[name]
    lay_out(bench, shape)
    fill_and_print(bench, shape, "buildkit", ".gomod")
    folder = bench.project / ".gomod"
    folder.mkdir(exist_ok=True)
    more = buildkit.with_image("cgobase", cgo_image()) if shape.cgo else ()
    buildkit.build(bench.project, folder, *more)
    assert_it_starts(buildkit.take, bench, shape)


@pytest.mark.parametrize("name", SHAPES)
def test_buildah_builds(bench: Workbench, builders: tuple[Buildah, BuildKit], compiled: Path, name: str) -> None:
    buildah, _ = builders
    shape = SHAPES[name]
    lay_out(bench, shape)
    fill_and_print(bench, shape, "plain", "gomod")
    go_image = "localhost/gobase"
    if shape.cgo:
        go_image = "localhost/cgobase"
        buildah.pull(cgo_image(), go_image)
    buildah.build(bench.project, compiled, go_image=go_image)
    assert_it_starts(buildah.take, bench, shape)


LARGE = FakeModule("example.com/large", "v1.0.0", padding=5_000_000)
USES_LARGE = Shape({
    "go.mod": gomod("app", LARGE), "main.go": main('large.Hello() != ""', imports='\t"example.com/large"\n'),
    ".env": "x" * 300_000, "build.log": "x" * 300_000, ".git/pack": "x" * 300_000, "key.pem": "x" * 300_000,
}, (LARGE,))  # fmt: skip


@pytest.mark.parametrize("kind", ["buildkit", "plain"])
def test_folder_of_modules_is_sent_once(bench: Workbench, builders: tuple[Buildah, BuildKit], kind: str) -> None:
    """By its name, or in the context: never both. And no layer of sources has it."""
    _, buildkit = builders
    lay_out(bench, USES_LARGE)
    folder = ".gomod" if kind == "buildkit" else "gomod"
    with ModuleProxy((LARGE,)) as proxy:
        done = prefetch(bench, "docker", "--dockerfile", kind, "--output", folder, "--dockerignore", GOPROXY=proxy.url)
    assert done.status == 0, done.text
    (bench.project / "Dockerfile").write_text(done.stdout)
    named = bench.folder / "empty" if kind == "plain" else bench.project / folder
    named.mkdir(exist_ok=True)
    buildkit.forget()
    built: Built = buildkit.build(bench.project, named)
    sent = {context: built.sent(context) for context in ("context", "gomod")}
    if kind == "buildkit":
        assert sent["context"] < 100_000
        assert 4_900_000 < sent["gomod"] < 6_000_000
    else:
        assert 4_900_000 < sent["context"] < 6_000_000
    sources = {step: size for step, size in buildkit.sizes().items() if " /src/" in step and "build " in step}
    assert sources
    assert max(sources.values()) < 1_000_000, sources
    again = prefetch(bench, "docker", "--dockerignore")
    assert again.status == 0, "nothing is missing from what was written"
