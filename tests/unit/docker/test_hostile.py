"""Dockerfiles and patterns made to keep a check busy for ever: each of these took minutes, or ended in a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from go_prefetch.base.trees import remove_trees
from go_prefetch.docker import dockerignore
from go_prefetch.docker.context import Context, measure, read_text
from go_prefetch.docker.dockerignore import parse_ignore
from go_prefetch.docker.go_files import MOST_BYTES, parse_go_file
from go_prefetch.docker.linear_matcher import Automaton
from go_prefetch.docker.rules import check
from go_prefetch.errors import InputError

N = 60_000
FROM = "FROM golang:1.26\n"
TEXTS = {
    "quotes that are escaped, in words": f"{FROM}COPY {chr(92)}" + '"\\' * N + '" /\n',
    "quotes that are escaped, in a value": f"{FROM}ENV a=" + '\\"' * N + "\n",
    "a name without a value": f"{FROM}ENV a=b {'a' * N}\n",
    "flags": f"{FROM}RUN {'--a ' * N}x\n",
    "blanks in a directive": f"#a=b{' ' * N}c\n{FROM}",
    "commands that change go.mod": f"{FROM}RUN {'go get;' * N}\n",
    "shells for shells": f"{FROM}RUN {'sh -c ' * N}x\n",
    "escapes that stand for themselves": f"{FROM}RUN {chr(92) * N}\n",
    "a long name, and variables of the linker": f"{FROM}ARG {'COMMIT' * N}!\nRUN {'-X $a=' * N}\nRUN go mod download\n",
    "scripts in scripts": f"{FROM}RUN {'$(' * N} go mod download\n",
    "quotes in quotes": FROM + "RUN sh -c '" + 'go "go " ' * N + "'\n",
    "values of values": f"{FROM}{''.join(f'ARG a{i}=$a{i + 1}{chr(10)}' for i in range(1800))}RUN go mod download\n",
    "variables in each other": f"FROM {'${a-' * N}\n",
    "stages on stages": "FROM golang:1.26 AS a0\n" + "".join(f"FROM a{i} AS a{i + 1}\n" for i in range(1900)),
    "flags of the linker": f"{FROM}COPY . .\nRUN go build {'-ldflags' * N}\nRUN go build -ldflags{'=' * N}\n",
    "folders to remove": f"{FROM}RUN rm {'/go/pkg' * N}x\n",
    "stages with the same module": "FROM golang:1.26\nCOPY go.mod .\nRUN go build .\n" * 600,
    "lists in each other": f"{FROM}RUN {'[' * N}\n",
    "a name that no file can have": f"{FROM}COPY {'a/' * N} /\n",
}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "go.mod").write_text("module a\n\nrequire a.b/c v1.0.0\n")
    return Context(tmp_path, tmp_path / ".dockerignore", parse_ignore(".git\n", ".dockerignore"))


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_dockerfile_is_judged_in_one_go(text: str, context: Context) -> None:
    check(text, context)


@pytest.mark.parametrize(
    "text",
    [
        f"{FROM}" + "RUN true\n" * 2001,
        "FROM golang:1.26 AS a\n" + "RUN go build x\n" * 900 + "FROM a\n" * 900,
    ],
    ids=["instructions", "stages times instructions"],
)
def test_a_dockerfile_of_too_many_instructions_is_not_looked_at(text: str, context: Context) -> None:
    with pytest.raises(InputError) as caught:
        check(text, context)
    assert caught.value.slug == "dockerfile-too-large"


def test_versions_of_thousands_of_digits_are_no_error(context: Context) -> None:
    digits = "9" * 5000
    (context.folder / "go.mod").write_text(f"module a\n\ngo 1.{digits}\n")
    check(f"FROM golang:1.{digits}\nCOPY go.mod .\nRUN go build .\n", context)
    check("FROM golang:1.26\nCOPY go.mod .\nRUN go build .\n", context)


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    with path.open("wb") as file:
        file.truncate(1 << 34)
    with pytest.raises(InputError) as caught:
        read_text(path)
    assert caught.value.slug == "dockerfile-too-large"


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a*a*a*a*a*a*a*a*a*a*a*b", "a" * 250),
        ("**/a**/a**/a**/a**/a**/b", "a/" * 1000 + "c"),
        ("**/**/**/**/**/**/**/x", "a/" * 1000 + "c"),
        ("[a]*[a]*[a]*[a]*[a]*[a]*b", "a" * 250),
    ],
)
def test_no_pattern_takes_every_way_through_a_path(pattern: str, path: str) -> None:
    assert not parse_ignore(pattern, "x").excludes(path)
    assert parse_ignore(pattern, "x").excludes(f"{path[:-1]}{pattern[-1]}/below")


def test_many_wildcards_in_a_pattern_of_odd_signs_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        parse_ignore("^*a*a*a*a*a*b", "x")
    assert caught.value.slug == "dockerignore-malformed"


WORDS = st.lists(st.sampled_from(["a", "b", "/", "*", "**", "**/", "?", "[ab]", "[^a]", ".", "\\*", "-"]), max_size=8)
PATHS = st.text(st.sampled_from("ab/.-*\n"), max_size=10)


@example("****", "\n/")
@given(WORDS.map("".join), PATHS)
def test_the_automaton_matches_what_the_expression_does(pattern: str, path: str) -> None:
    expression = dockerignore._expression(pattern)
    parts = path.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    try:
        automaton = Automaton(expression)
    except ValueError:
        return
    assert automaton.matches_from_top(path) == any(re.fullmatch(expression, one) for one in above)


def test_folders_deeper_than_calls_can_nest_are_measured(tmp_path: Path) -> None:
    top = tmp_path / "top"
    deep = top.joinpath(*["a"] * 1500)
    here = top
    here.mkdir()
    while here != deep:
        here = here / "a"
        here.mkdir()
    (deep / "file").write_bytes(b"12345")
    assert measure(top, parse_ignore("*.md\n**/x", "x")) == (1, 5)
    remove_trees(top)


@pytest.mark.slow
@pytest.mark.parametrize("piece", ['"\\', "'\\", '\\"', "//go:embed a\n", "import (", "/*"])
def test_go_file_of_one_megabyte_is_read_in_one_go(piece: str) -> None:
    """Each quote was the beginning of a string whose end was looked for: an hour for one file of a module."""
    parse_go_file("main.go", f"package a\n{piece * (MOST_BYTES // len(piece))}".encode())


def test_string_without_an_end_ends_with_its_line() -> None:
    file = parse_go_file("main.go", b'package a\n\nimport "b"\n\nvar s = "/*\nvar t = 1 // "\n//go:embed c\n')
    assert file is not None
    assert file.imports == {"b"}
    assert file.embeds == ((7, "c"),)
