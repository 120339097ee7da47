"""What is read from Go files, and which program needs cgo."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.docker.cgo import Packages
from go_prefetch.docker.go_files import embeds_of, go_files, parse_go_file
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.golang.module import ModuleVersion

CGO = '/*\n#include <stdio.h>\n*/\nimport "C"\n'
SQLITE = ModuleVersion("example.com/Sqlite/v2", "v2.1.0")


@pytest.mark.parametrize(
    ("text", "imports"),
    [
        ('import "a"\nimport b "b/c"\n', {"a", "b/c"}),
        ('import (\n\t"a" // x\n\t. "b"\n\t_ `c`\n)\n', {"a", "b", "c"}),
        (CGO, {"C"}),
        ('import "a"; import "b"\nvar x = `import "d"`\n', {"a", "b"}),
        ('// import "C"\n/* import "C" */\nconst import_ = "C"\n', set()),
    ],
)
def test_imports_of_a_file(text: str, imports: set[str]) -> None:
    found = parse_go_file("a.go", f"package a\n\n{text}".encode())
    assert found is not None
    assert found.imports == imports


@pytest.mark.parametrize(
    ("text", "has_main", "is_empty"),
    [
        ("func main() { run() }\n", True, False),
        ("func main() {}\n", True, True),
        ("func main() {\n\t// nothing yet\n}\n", True, True),
        ('var pattern = "/*"\n\nfunc main() { run() }\n', True, False),
        ("/*\nfunc main() {}\n*/\n", False, False),
        ("func main_() {}\n", False, False),
    ],
)
def test_main_of_a_file(text: str, has_main: bool, is_empty: bool) -> None:
    found = parse_go_file("a.go", f"package main\n\n{text}".encode())
    assert found is not None
    assert (found.has_main, found.main_is_empty) == (has_main, is_empty)


def test_embeds_have_line_and_path() -> None:
    found = parse_go_file("x.go", b'package x\n\n//go:embed dist/* all:assets "my file"\nvar files embed.FS\n')
    assert found is not None
    assert [(each.line, each.path) for each in embeds_of("web/x.go", found)] == [
        (3, "web/dist/*"), (3, "web/assets"), (3, "web/my"), (3, "web/file"),
    ]  # fmt: skip


def packages(tmp_path: Path, files: dict[str, str], zipped: dict[str, str]) -> Packages:
    for name, text in files.items():
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(text)
    store = ModuleFolder.at(tmp_path / "store")
    path = store.zip_path(SQLITE)
    if zipped:
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in zipped.items():
                archive.writestr(f"{SQLITE.path}@{SQLITE.version}/{name}", text)
    return Packages({"app": tmp_path / "project"}, {SQLITE.path: SQLITE}, [store], tmp_path / "project" / "vendor")


MAIN = 'package main\n\nimport (\n\t"fmt"\n\t"app/db"\n)\n'
DB = f'package db\n\nimport _ "{SQLITE.path}/driver"\n'


@pytest.mark.parametrize(
    ("zipped", "needed"),
    [
        ({"driver/a.go": f"package driver\n\n{CGO}", "driver/b.go": "//go:build !cgo\n\npackage driver\n"}, True),
        ({"driver/a_windows.go": f"package driver\n\n{CGO}", "driver/b.go": "package driver\n"}, False),
        ({"driver/a.go": "package driver\n", "other/b.go": f"package other\n\n{CGO}"}, False),
        ({"driver/a_test.go": f"package driver\n\n{CGO}"}, False),
        ({}, None),
    ],
    ids=["needed", "elsewhere", "not imported", "test", "not here"],
)
def test_cgo_of_a_dependency(tmp_path: Path, zipped: dict[str, str], needed: bool | None) -> None:
    """Followed through the packages that the program imports, and not known without the zip."""
    found = packages(tmp_path, {"main.go": MAIN, "db/db.go": DB}, zipped)
    assert found.need_cgo(["app"]) is needed


def test_plugins_need_cgo(tmp_path: Path) -> None:
    """Go's own package panics without it."""
    files = {"main.go": 'package main\n\nimport "plugin"\n', "net/main.go": 'package main\n\nimport "net"\n'}
    assert packages(tmp_path, files, {}).need_cgo(["app"]) is True
    assert packages(tmp_path, files, {}).need_cgo(["app/net"]) is False


def test_cgo_of_a_vendored_package(tmp_path: Path) -> None:
    files = {"main.go": 'package main\n\nimport "a.b/c"\n', "vendor/a.b/c/c.go": f"package c\n\n{CGO}"}
    assert packages(tmp_path, files, {}).need_cgo(["app"]) is True


def test_cgo_of_a_damaged_zip_is_unknown(tmp_path: Path) -> None:
    found = packages(tmp_path, {"main.go": MAIN, "db/db.go": DB}, {"x.go": "package x\n"})
    ModuleFolder.at(tmp_path / "store").zip_path(SQLITE).write_bytes(b"PK\x03\x04 no zip")
    assert found.need_cgo(["app"]) is None


PARTS = ("//go:build ", "linux", "!", "(", ")", "&&", "||", " ", "\n", "package a", "import ", "/*", "*/", '"', "`",
         "(\n", "func main() {", "}", "//go:embed x", "\x00", "é")  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=60).map("".join))
def test_no_text_ends_in_a_traceback(text: str) -> None:
    parse_go_file("a.go", text.encode())


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["/*", "import(\n", "\n", "`", '"', "'", "func main()", "//go:build (", "!(", "//go:embed x\n"]
)
def test_a_long_file_is_read_in_one_go(part: str) -> None:
    parse_go_file("a.go", (f"//go:build {part}\npackage a\n" + part * 300_000).encode())


def test_folders_that_no_build_reads_are_left_out(tmp_path: Path) -> None:
    for name in ("a/x.go", "vendor/x.go", "testdata/x.go", "_a/x.go", ".a/x.go", "nested/x.go", "nested/go.mod"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("package x\n")
    assert [path.relative_to(tmp_path).as_posix() for path, _ in go_files(tmp_path)] == ["a/x.go"]
