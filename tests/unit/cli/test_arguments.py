"""Variables that look like inputs: told where they are close to one, and never where they are the project's own."""

from __future__ import annotations

import io
import re
import subprocess
from pathlib import Path

import pytest

from go_prefetch.cli.arguments import closest, parse, variable_typos
from go_prefetch.cli.subcommands import SUBCOMMANDS
from go_prefetch.errors import InputError
from go_prefetch.render.outputs import outputs
from tests.support.fakes.reports import REPORTS

ROOT = Path(__file__).parents[3]
ROWS = [row for subcommand in SUBCOMMANDS.values() for row in subcommand.table]


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
        (["rum"], "did-you-mean", "run"),
        (["zzz"], "", ""),
        ([], "", ""),
        (["run", "--jobs"], "", ""),
        (["run", "--work-directory", "a"], "flag-meant", "--working-directory"),
        (["run", "--job=3"], "flag-meant", "--jobs"),
        (["plan", "--color"], "flag", ""),
        (["report", "--repository", "a/b"], "flag-meant", "--repo"),
        (["--quiet", "run"], "flag-before-command", ""),
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
    assert facts["program"] == " ".join(["go-prefetch", *({*argv} & {*SUBCOMMANDS})])
