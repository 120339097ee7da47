"""What .dockerignore keeps out, and what the command says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.docker.context import measure, read_context
from go_prefetch.docker.dockerignore import Ignore, parse_ignore
from go_prefetch.docker.dockerignore_advice import entries_for, text_for
from go_prefetch.errors import InputError
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

CASES = {
    "a name keeps out all below": ("a", {"a": True, "a/b/c": True, "ab": False, "b/a": False}),
    "** stands for any depth": ("**/a", {"a": True, "x/y/a": True, "x/y/a/z": True, "xa": False}),
    "a star stays in its folder": ("*.go", {"x.go": True, "d/x.go": False}),
    "the last line decides": ("*\n!keep\n!d/*.go", {"x": True, "keep": False, "d/a.go": False, "d/a.c": True}),
    "below, all": ("d/**", {"d": False, "d/x": True, "d/x/y": True}),
    "comments, blanks, slashes": ("# a\n\n  /b/  \n./c/../e", {"a": False, "b": True, "e/f": True, "c": False}),
}


@pytest.mark.parametrize("name", CASES)
def test_patterns(name: str) -> None:
    """As the documentation has it."""
    text, expected = CASES[name]
    ignore = parse_ignore(text, "x")
    assert {path: ignore.excludes(path) for path in expected} == expected


def test_bad_line_is_named() -> None:
    """What no builder accepts is an error with file and line."""
    with pytest.raises(InputError) as caught:
        parse_ignore("a\n[\n", "f")
    assert facts(caught.value)["where"] == "f:2"


def test_size_of_a_context(tmp_path: Path) -> None:
    """Regular files that are sent; what is taken back in below a folder that is out counts too; links do not."""
    for name, size in (("a", 10), ("out/b", 20), ("out/keep/c", 40), (".git/d", 80)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "link").symlink_to("a")
    assert measure(tmp_path, Ignore()) == (4, 150)
    assert measure(tmp_path, parse_ignore(".git\nout\n!out/keep", "x")) == (2, 50)


def test_written_where_there_is_none_then_checked(bench: Workbench) -> None:
    """The first call writes and tells both sizes, the second finds nothing; without an entry it is found."""
    (bench.project / ".git").mkdir(parents=True)
    (bench.project / ".git" / "pack").write_bytes(bytes(5_000_000))
    (bench.project / "main.go").write_text("package main\n")
    first = prefetch(bench, "docker", "--dockerignore")
    assert (first.status, "context: 2 files, 5.0 MB without .dockerignore, 1 files, 13 B with" in first.stdout) == (
        0,
        True,
    )
    second = prefetch(bench, "docker", "--dockerignore")
    assert second.status == 0
    assert not read_context(bench.project).holds(".git")
    (bench.project / ".dockerignore").write_text("*.md\n")
    (bench.project / ".env").write_text("TOKEN=1\n")
    third = prefetch(bench, "docker", "--dockerignore")
    assert (third.status, "lets through .env" in third.stdout) == (1, True)
    assert "lets through .git" not in third.stdout, "it is a trade, not a mistake"
    assert (bench.project / ".dockerignore").read_text() == "*.md\n", "what is somebody's is not written over"


def test_folder_of_modules_stays_out_unless_it_is_copied(bench: Workbench) -> None:
    """By a named context it travels apart; copied, it must be sent."""
    bench.project.mkdir(parents=True)
    (bench.project / ".gomod").mkdir()
    prefetch(bench, "docker", "--dockerignore")
    assert ".gomod" in (bench.project / ".dockerignore").read_text().splitlines()
    (bench.project / ".dockerignore").unlink()
    (bench.project / "Dockerfile").write_text("FROM a:1\nCOPY .gomod/ /gomod/\n")
    prefetch(bench, "docker", "--dockerignore")
    assert ".gomod" not in (bench.project / ".dockerignore").read_text().splitlines()


def test_what_the_dockerfile_copies_by_name_is_not_excluded(bench: Workbench) -> None:
    """A local file by its kind, but a part of the image."""
    for name in ("certs/ca.crt", "certs/notes.txt", "other/key.pem", "conf/.env.example", ".golangci.yml", "cmd/x.go"):
        (bench.project / name).parent.mkdir(parents=True, exist_ok=True)
        (bench.project / name).write_text("x")
    (bench.project / "Dockerfile").write_text("FROM a:1\nCOPY certs /c/\nCOPY conf/.env* .golangci.yml ./\nCOPY . .\n")
    assert prefetch(bench, "docker", "--dockerignore").status == 0
    context = read_context(bench.project)
    sent = ["certs/ca.crt", "certs/notes.txt", "conf/.env.example", ".golangci.yml", "cmd/x.go"]
    assert [name for name in sent if not context.holds(name)] == []
    assert not context.holds("other/key.pem")


def test_what_the_build_needs_is_not_listed_as_local(bench: Workbench) -> None:
    """A package named logs, an embedded file, and a file that the Dockerfile copies."""
    for name, text in {
        "logs/logs.go": "package logs\n", "a.go": 'package a\n\nimport "embed"\n\n//go:embed ca.pem\nvar f embed.FS\n',
        "ca.pem": "x", ".env.dist": "x", ".env": "x",
        "Dockerfile": "FROM a:1\nCOPY .env.dist /\n", ".dockerignore": "x\n",
    }.items():  # fmt: skip
        (bench.project / name).parent.mkdir(parents=True, exist_ok=True)
        (bench.project / name).write_text(text)
    listed = prefetch(bench, "docker", "--dockerignore").stdout
    assert [line.rpartition(" ")[2] for line in listed.splitlines() if "lets through" in line] == [".env"]


def test_folder_that_would_be_sent_twice_is_named(bench: Workbench) -> None:
    """In the printed Dockerfile and after `--output`, until .dockerignore has it."""
    bench.write_project((FakeModule("example.com/lib", "v1.0.0"),))
    twice, hint = "or it is sent twice", "go-prefetch docker --dockerignore"
    with ModuleProxy((FakeModule("example.com/lib", "v1.0.0"),)) as proxy:
        filled = prefetch(bench, "docker", "--output", ".gomod", GOPROXY=proxy.url)
    assert filled.status == 0, filled.text
    for text in (filled.stdout, prefetch(bench, "docker", "--dockerfile").stdout):
        assert (twice in text, hint in text) == (True, True)
    assert prefetch(bench, "docker", "--dockerignore").status == 0
    assert twice not in prefetch(bench, "docker", "--output", ".gomod", GOPROXY="off").stdout
    assert twice not in prefetch(bench, "docker", "--dockerfile").stdout
    assert twice not in prefetch(bench, "docker", "--dockerfile", "plain").stdout
    assert twice not in prefetch(bench, "docker", "--dockerfile", "--output", "../x", GOPROXY="off").stdout


def test_documents_show_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/app\n")
    example = Path(__file__).parents[3] / "docs" / "examples" / "docker" / ".dockerignore"
    assert example.read_text() == text_for(entries_for(read_context(tmp_path), ".gomod", ""))
