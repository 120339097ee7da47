"""How much a command prints: `-q`, `-qq`, and the record on a terminal, in a pipe and in CI."""

from __future__ import annotations

import json
import sys

import pytest

from go_prefetch.render.record import PREFIX
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
LIB = FakeModule("example.com/lib", "v1.0.0")
GITHUB = {"GITHUB_ACTIONS": "true", "CI": "true"}


def ended(bench: Workbench, *arguments: str, terminal: str = "", **variables: str) -> Result:
    """A run that downloads one module."""
    from tests.support.terminal import on_terminal

    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        given = {"GOPROXY": proxy.url, "GO_PREFETCH_STORE": "none", **variables}
        result = on_terminal(bench, *arguments, **given) if terminal else bench.run(*arguments, **given)
    assert result.status == 0, result.text
    return result


@pytest.mark.parametrize(
    ("flags", "variables", "terminal", "prints"),
    [
        ((), {}, False, True),
        ((), {}, True, False),
        ((), {"CI": "true"}, True, True),
        ((), {"CI": "false"}, True, False),
        ((), GITHUB, False, True),
        ((), GITHUB, True, True),
        (("--record",), {}, True, True),
        (("--no-record",), {}, False, False),
        (("--no-record",), GITHUB, False, False),
        ((), {"GO_PREFETCH_RECORD": "false"}, False, False),
        ((), {"GO_PREFETCH_RECORD": "true"}, True, True),
        (("-q",), {}, False, True),
        (("-qq",), GITHUB, False, False),
        (("-qq", "--record"), {}, False, True),
    ],
)
def test_record_is_printed_where_a_program_reads_it(
    bench: Workbench, flags: tuple[str, ...], variables: dict[str, str], *, terminal: bool, prints: bool
) -> None:
    result = ended(bench, "run", *flags, terminal="xterm" if terminal else "", **variables)
    assert (PREFIX in result.stdout) == prints


def test_record_of_a_wrong_input_follows_its_own_flag(bench: Workbench) -> None:
    bench.project.mkdir()
    assert PREFIX in bench.run("run", "--jobs", "0").stdout
    assert PREFIX not in bench.run("run", "--jobs", "0", "--no-record").stdout


@pytest.mark.parametrize("command", ["run", "fill out", "verify", "docker --output out"])
def test_quiet_is_one_line_and_twice_is_none(bench: Workbench, command: str) -> None:
    record = ("--no-record",) if command.split(maxsplit=1)[0] in ("run", "fill") else ()
    once = ended(bench, *command.split(), "-q", *record)
    assert (len(once.stdout.splitlines()), once.stderr) == (1, "")
    assert ended(bench, *command.split(), "-qq").text == ""


def test_silent_products_are_printed(bench: Workbench) -> None:
    """`-qq` drops what a command says of itself, never what it was called for."""
    assert json.loads(ended(bench, "plan", "--format", "json", "-qq").stdout)
    assert ended(bench, "docker", "--dockerfile", "-qq").stdout.startswith("#")


def test_silent_runs_print_why_they_fail(bench: Workbench) -> None:
    bench.write_project([LIB])
    with ModuleProxy([]) as proxy:
        result = bench.run("run", "--store", "none", "-qq", GOPROXY=proxy.url)
    assert result.status == 5
    assert result.stdout == ""
    assert "[module-not-found]" in result.stderr


@pytest.mark.parametrize("variables", [{}, GITHUB])
def test_silent_runs_print_no_warning(bench: Workbench, variables: dict[str, str]) -> None:
    """`-q` does."""
    assert "[unknown-variable]" in ended(bench, "run", "-q", GO_PREFETCH_JOB="3", **variables).text
    assert ended(bench, "run", "-qq", GO_PREFETCH_JOB="3", **variables).text == ""
