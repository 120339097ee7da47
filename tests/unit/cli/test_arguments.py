"""Variables that look like inputs: told where they are close to one, and never where they are the project's own."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import pytest

from go_prefetch import __version__
from go_prefetch.base.suggestions import closest
from go_prefetch.cli.arguments import parse, texts_of, variable_typos
from go_prefetch.cli.subcommands import SUBCOMMANDS
from go_prefetch.errors import InputError
from go_prefetch.render.outputs import outputs
from tests.support.fakes.reports import REPORTS

ROOT = Path(__file__).parents[3]
ROWS = [row for subcommand in SUBCOMMANDS.values() for row in subcommand.table if row.has_variable]


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("GO_PREFETCH_JOB", "GO_PREFETCH_JOBS"),
        ("GO_PREFETCH_GO_PROXY", "GO_PREFETCH_GOPROXY"),
        ("GO_PREFETCH_STALLTIMEOUT", "GO_PREFETCH_STALL_TIMEOUT"),
        ("GO_PREFETCH_STALL-TIMEOUT", "GO_PREFETCH_STALL_TIMEOUT"),
        ("GO_PREFETCH_CACHENAME", "GO_PREFETCH_CACHE_NAME"),
        ("GO_PREFETCH_WORKING_DIR", "GO_PREFETCH_WORKING_DIRECTORY"),
        ("GO_PREFETCH_ON_FAILIURE", "GO_PREFETCH_ON_FAILURE"),
        ("GOPREFETCH_DEADLINE", "GO_PREFETCH_DEADLINE"),
        ("go_prefetch_jobs", "GO_PREFETCH_JOBS"),
    ],
)
def test_the_closest_input_is_named(given: str, right: str) -> None:
    assert variable_typos({given: "1"}) == [(given, right)]


@pytest.mark.parametrize("name", ["GO_PREFETCH_VERSION", "GOPROXY", "PREFETCH_JOBS", "GO_PREFETCH_", "GO_PREFETCH_X"])
def test_what_is_close_to_none_is_left_alone(name: str) -> None:
    """It may be somebody's own."""
    assert variable_typos({name: "1"}) == []


def test_an_empty_one_says_nothing() -> None:
    assert variable_typos({"GO_PREFETCH_JOB": ""}) == []


def test_no_name_of_the_project_is_taken_for_a_mistake() -> None:
    """Every input, every output as GitLab hands it on, and every such name in the repository, but for tests of it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    files = [ROOT / name for name in listed.decode().split("\0") if name and not Path(name).name.startswith("test_")]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()]
    used = {name for text in texts for name in re.findall(r"GO_PREFETCH_[A-Z0-9_]*[A-Z0-9]", text)}
    told = {f"GO_PREFETCH_{name.upper().replace('-', '_')}" for name in outputs(REPORTS["exact"])}
    assert variable_typos(dict.fromkeys(used | told | {row.variable for row in ROWS}, "1")) == []


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("--work-directory", "--working-directory"),
        ("--workdir", "--working-directory"),
        ("--job", "--jobs"),
        ("--proxy", "--goproxy"),
        ("--stall_timeout", "--stall-timeout"),
        ("--color", ""),
        ("-x", ""),
    ],
)
def test_the_closest_flag_is_named(given: str, right: str) -> None:
    assert closest(given, [row.flag for row in SUBCOMMANDS["run"].table]) == right


@pytest.mark.parametrize(
    ("argv", "case", "meant"),
    [
        (["rum"], "command-meant", "run"),
        (["hellp"], "command-meant", "help"),
        (["help", "rum"], "command-meant", "run"),
        (["zzz"], "command", ""),
        (["z'z"], "command", ""),
        ([], "command-missing", ""),
        (["fill"], "argument-missing", ""),
        (["run", "--jobs"], "value-missing", ""),
        (["run", "-C"], "value-missing", ""),
        (["run", "--working-directory", "--jobs=3"], "value-missing", ""),
        (["run", "--no-summary=true"], "value-given", ""),
        (["run", "--quiet=2"], "value-given", ""),
        (["run", "--days", "3"], "flag-elsewhere", ""),
        (["-C", "run"], "flag-before-command", ""),
        (["run", "--work-directory", "a"], "flag-meant", "--working-directory"),
        (["run", "--job=3"], "flag-meant", "--jobs"),
        (["plan", "--color"], "flag", ""),
        (["report", "--repository", "a/b"], "flag-meant", "--repo"),
        (["--quiet", "run"], "flag-before-command", ""),
        (["--jobs", "3", "run"], "flag-before-command", ""),
        (["--jobs=3", "run"], "flag-before-command", ""),
        (["--verison"], "flag-meant", "--version"),
        (["-x", "run"], "flag", ""),
        (["run", "service"], "argument-folder", ""),
        (["prune", "pool"], "argument", ""),
        (["plan", "--jobs", "3"], "flag-without-effect", ""),
        (["fill", "out", "--store=none"], "flag-without-effect", ""),
    ],
)
def test_what_was_meant_is_named(argv: list[str], case: str, meant: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(argv, io.StringIO())
    assert (caught.value.slug, caught.value.notice.case) == ("usage", case)
    facts = dict(caught.value.notice.facts)
    assert facts["meant"] == meant
    named = {*argv} & {*SUBCOMMANDS} if case != "flag" or argv[0] in SUBCOMMANDS else ()
    assert facts["program"] == " ".join(["go-prefetch", *named])


@pytest.mark.parametrize(
    ("argv", "texts"),
    [
        (["run"], {"summary": "", "check-present": "", "working-directory": ""}),
        (["run", "--no-summary", "--check-present"], {"summary": "false", "check-present": "true"}),
        (["run", "--summary=false", "--check-present=true"], {"summary": "false", "check-present": "true"}),
        (["run", "--summary", "false", "--check-present", "true"], {"summary": "false", "check-present": "true"}),
        (["run", "--no-check-present", "--no-summary", "--summary"], {"check-present": "false", "summary": "true"}),
        (["run", "-C", "a", "-Cb", "--working-directory", "c"], {"working-directory": "a\nb\nc"}),
        (["plan", "--modules"], {"modules": "true", "format": ""}),
        (["fill", "--no-summary", "out"], {"folder": "out", "summary": "false"}),
        (["docker", "--dockerfile", "--check", "D"], {"dockerfile": "buildkit", "check": "D"}),
        (["docker", "--dockerfile=plain"], {"dockerfile": "plain"}),
        (["prune", "--pool", "--delete"], {"pool": "auto", "delete": "true"}),
        (["prune", "--pool", "x"], {"pool": "x", "delete": ""}),
    ],
)
def test_switches_need_no_value_and_take_one(argv: list[str], texts: dict[str, str]) -> None:
    given = texts_of(parse(argv, io.StringIO()))
    assert {name: given[name] for name in texts} == texts


@pytest.mark.parametrize("argv", [["--version"], ["-V"], ["version"]])
def test_version_has_three_spellings(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(argv, io.StringIO())
    assert (caught.value.code, capsys.readouterr().out) == (0, f"go-prefetch {__version__}\n")


def test_subcommand_fills_where_modules_stay_after_ctrl_c() -> None:
    assert {name for name, command in SUBCOMMANDS.items() if command.fills} == {"run", "fill", "docker"}
