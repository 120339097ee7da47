"""A Dockerfile is cut up as BuildKit does: lines, continuations, here-documents, the escape of its own."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.docker.context import Context
from go_prefetch.docker.dockerignore import Ignore
from go_prefetch.docker.rules import check
from go_prefetch.docker.shell import commands_in
from go_prefetch.docker.stages import assignments, read_stages
from go_prefetch.docker.syntax import parse_dockerfile


def test_lines_continuations_and_comments_between() -> None:
    """An instruction has the line it begins on, comments and empty lines inside it do not end it."""
    text = "# first\nFROM a:1\n\nRUN one && \\\n# between\n\n  two \\  \n  three\ncopy x y\n"
    assert [(i.line, i.name, i.text.split()) for i in parse_dockerfile(text)] == [
        (2, "FROM", ["a:1"]),
        (4, "RUN", ["one", "&&", "two", "three"]),
        (9, "COPY", ["x", "y"]),
    ]


def test_escape_directive_counts_above_everything_only() -> None:
    """A backtick continues lines if the file's first lines say so; later it is a comment like others."""
    assert [i.words for i in parse_dockerfile("# syntax=x\n# escape=`\nRUN a `\n b\\\n")] == [["a", "b\\"]]
    assert len(parse_dockerfile("# hello\n# escape=`\nRUN a `\nRUN b\n")) == 2


def test_heredocs_belong_to_their_instruction() -> None:
    """What stands in a here-document is no instruction, quoted and with tabs too; two may follow one line."""
    text = "RUN <<A <<-'B'\nFROM x\nA\n\tARG y\n\tB\nCOPY <<EOF /e\nENV z=1\nEOF\nUSER 1\n"
    found = parse_dockerfile(text)
    assert [(i.name, i.line) for i in found] == [("RUN", 1), ("COPY", 6), ("USER", 9)]
    assert found[0].heredocs == ("FROM x", "ARG y")


def test_shift_is_no_heredoc() -> None:
    """`1<<3` and `<<<` are the shell's business."""
    assert [i.name for i in parse_dockerfile('RUN cat <<<"x"\nRUN echo $((1<<3))\nUSER 1\n')] == ["RUN", "RUN", "USER"]


def test_lines_end_where_they_do_for_a_builder() -> None:
    """At LF or CRLF: not at a form feed, not where a doubled backslash stands for itself."""
    text = "RUN echo a\\\\\r\nCOPY\fx y\r\nRUN b\u2028c \\\r\n d\r\nUSER 1\n"
    assert [(i.name, i.line, i.words) for i in parse_dockerfile(text)][1:] == [
        ("COPY", 2, ["x", "y"]),
        ("RUN", 3, ["b", "c", "d"]),
        ("USER", 5, ["1"]),
    ]


def test_onbuild_is_the_instruction_behind_it() -> None:
    """With its flags and here-documents."""
    (run, user) = parse_dockerfile("onbuild run --network=none <<EOF\ngo build\nEOF\nUSER 1\n")
    assert (run.name, run.flag("network"), run.heredocs) == ("RUN", ["none"], ("go build",))
    assert (user.name, user.line) == ("USER", 4)


def test_flags_and_json() -> None:
    """Flags come off the text, each with its value; the JSON form is a list of words."""
    run = parse_dockerfile('RUN --mount=type=cache,target=/a --network=none --mount=type=ssh ["go", "mod", "x"]')[0]
    assert run.flag("mount") == ["type=cache,target=/a", "type=ssh"]
    assert run.words == ["go", "mod", "x"]


def test_stages_know_their_parents_and_arguments() -> None:
    """`FROM $BASE` is what its ARG says; a stage that starts from another has its history."""
    read = read_stages("ARG TAG=3.1\nFROM a:${TAG} AS One\nRUN x\nFROM one\nRUN y\nFROM ${NO:-b}:2\n")
    assert [stage.base for stage in read.stages] == ["a:3.1", "one", "b:2"]
    assert [i.text for i in read.stages[1].history] == ["x", "y"]


def test_env_in_both_forms() -> None:
    """`ENV a=1 b="x y"` and `ENV a the rest`."""
    pairs = [assignments(i) for i in parse_dockerfile('ENV a=1 b="x y"\nENV c the rest\nARG d=1 e\n')]
    assert pairs == [[("a", "1"), ("b", "x y")], [("c", "the rest")], [("d", "1"), ("e", "")]]


def test_commands_of_a_script() -> None:
    """Assignments, quotes, comments, chains, subshells."""
    script = "set -e; A=1 B='x;y' go -C sub mod download -x && (cd /x; go build .) # go get\nif go list; then :; fi"
    found = list(commands_in(script))
    assert [command.go[:2] for command in found if command.go] == [("mod", "download"), ("build", "."), ("list",)]
    assert next(command for command in found if command.downloads).assigned == (("A", "1"), ("B", "x;y"))


def go_commands(text: str) -> list[tuple[str, ...]]:
    return [command.go[:2] for command in commands_in(parse_dockerfile(text)[0].script) if command.go]


def test_commands_given_to_a_shell() -> None:
    """`sh -c` in every form, behind what limits or repeats a command, and xx's name for go."""
    for run in (
        "sh -c 'go mod download'",
        '["/bin/bash", "-ec", "go mod download"]',
        "timeout -k 5 5m go mod download",
        "xargs -n 1 go mod download",
        "env A=b sh -eu -c 'true && go mod download'",
        "xx-go mod download",
        "retry.sh --delay 2 -- go mod download",
        "retry.sh 'go mod download'",
        "until x=$(go mod download); do sleep 1; done",
        'echo "$(date)" `go mod download`',
    ):
        assert go_commands(f"RUN {run}\n") == [("mod", "download")], run
    assert go_commands("RUN sh -c\n") == go_commands("RUN echo 'go build'; printf go\n") == []


def test_here_documents_that_no_shell_reads() -> None:
    """What is written to a file, or read by another language, is not run by a shell."""
    for head in ("<<EOF", "<<EOF bash -e", "set -e; /bin/sh <<EOF", "<<EOF\n#!/usr/bin/env bash"):
        assert go_commands(f"RUN {head}\ngo build\nEOF\n") == [("build",)], head
    for head in ("cat <<EOF > x.sh", "python3 <<EOF", "<<EOF\n#!/usr/bin/python3"):
        assert go_commands(f"RUN {head}\ngo build\nEOF\n") == [], head


LINES = st.lists(
    st.sampled_from(
        ["FROM a", "FROM", "RUN go mod download \\", "RUN <<EOF", "EOF", "# escape=`", "ARG", "ARG X=$Y", "ENV a",
         "ENV", "COPY . .", "COPY",
         "COPY --from= x", 'RUN ["go"', "RUN --mount=type=bind,from", "\\", "RUN '\"", "é\x00", ""]
    ) | st.text(max_size=30)
)  # fmt: skip


@given(LINES)
def test_no_text_ends_in_a_traceback(lines: list[str]) -> None:
    """Whatever a file holds, it is judged or left alone; lines lie within it."""
    text = "\n".join(lines)
    count = text.count("\n") + 1
    nowhere = Context(Path("/nonexistent"), Path("/nonexistent/.dockerignore"), Ignore())
    assert all(1 <= found.line <= count for found in check(text, nowhere))
