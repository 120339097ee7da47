"""One table of inputs: what is allowed, what wins, and what is said about a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.base.retry import Jobs
from go_prefetch.config.choices import JobStatus, OnFailure, StoreChoice, StoreKind, When
from go_prefetch.config.inputs import BY_NAME, JOB, SHIM_INPUTS, TABLE, Input, read_inputs
from go_prefetch.config.kinds import Value, duration
from go_prefetch.errors import InputError
from go_prefetch.golang.goproxy import Fallback
from tests.support.notices import facts, printed

ACTION = Path(__file__).parents[3] / "action.yml"
DEFAULTS: dict[str, Value] = {
    "working-directory": (".",),
    "goproxy": "",
    "fallback": Fallback.AUTO,
    "store": StoreChoice(StoreKind.AUTO, "auto"),
    "save": When.AUTO,
    "cache-name": "",
    "build-cache": When.NEVER,
    "build-cache-name": "",
    "jobs": Jobs(16, 64),
    "deadline": 600.0,
    "on-failure": OnFailure.FAIL,
    "check-present": False,
    "quarantine": When.AUTO,
    "for-tidy": False,
    "test-cache": False,
    "summary": True,
    "attempts": 4,
    "connect-timeout": 5.0,
    "stall-timeout": 15.0,
    "restore-deadline": 120.0,
    "save-deadline": 120.0,
    "pool-max-size": "",
    "pool-max-age": "",
    "save-private": When.AUTO,
    "record": When.AUTO,
    "report-file": "",
    "trace": "",
}
# For every input three allowed texts and their values, to tell flag, variable and action input apart.
ALLOWED: dict[str, tuple[tuple[str, Value], ...]] = {
    "working-directory": (("a", ("a",)), ("b/*", ("b/*",)), ("c\n\n  d e \r\n", ("c", "d e"))),
    "goproxy": (("https://a.example", "https://a.example"), ("direct", "direct"), ("a|b,off", "a|b,off")),
    "fallback": (("any", Fallback.ANY), ("go", Fallback.GO), ("auto", Fallback.AUTO)),
    "store": (
        ("none", StoreChoice(StoreKind.NONE, "none")),
        ("dir:/srv/pool", StoreChoice(StoreKind.POOL, "dir:/srv/pool", Path("/srv/pool"))),
        (r"dir:D:\a\_temp/pool", StoreChoice(StoreKind.POOL, r"dir:D:\a\_temp/pool", Path(r"D:\a\_temp/pool"))),
    ),
    "save": (("true", When.ALWAYS), ("false", When.NEVER), ("auto", When.AUTO)),
    "cache-name": (("a", "a"), ("b c", "b c"), ("é", "é")),
    "build-cache": (("true", When.ALWAYS), ("auto", When.AUTO), ("false", When.NEVER)),
    "build-cache-name": (("a", "a"), ("b c", "b c"), ("é", "é")),
    "jobs": (("1", Jobs(1, 1)), ("128", Jobs(128, 128)), ("auto", Jobs(16, 64))),
    "deadline": (("1h", 3600.0), ("90s", 90.0), ("1m30s", 90.0)),
    "on-failure": (("warn", OnFailure.WARN), ("fail", OnFailure.FAIL), (" warn ", OnFailure.WARN)),
    "check-present": (("true", True), ("false", False), ("TRUE", True)),
    "quarantine": (("true", When.ALWAYS), ("false", When.NEVER), ("auto", When.AUTO)),
    "for-tidy": (("true", True), ("false", False), ("True", True)),
    "test-cache": (("true", True), ("false", False), ("True", True)),
    "summary": (("false", False), ("true", True), ("False", False)),
    "attempts": (("1", 1), ("20", 20), ("2", 2)),
    "connect-timeout": (("1s", 1.0), ("500ms", 0.5), ("1.5s", 1.5)),
    "stall-timeout": (("1s", 1.0), ("500ms", 0.5), ("1.5s", 1.5)),
    "restore-deadline": (("1s", 1.0), ("500ms", 0.5), ("1.5s", 1.5)),
    "save-deadline": (("1s", 1.0), ("500ms", 0.5), ("1.5s", 1.5)),
    "pool-max-size": (("5GB", 5 * 10**9), ("500 MB", 5 * 10**8), ("0", 0)),
    "pool-max-age": (("30d", 30 * 86400.0), ("12h", 12 * 3600.0), ("2w", 14 * 86400.0)),
    "save-private": (("true", When.ALWAYS), ("false", When.NEVER), ("auto", When.AUTO)),
    "record": (("true", When.ALWAYS), ("false", When.NEVER), ("auto", When.AUTO)),
    "report-file": (("a.json", "a.json"), ("b/c.json", "b/c.json"), ("d e", "d e")),
    "trace": (("a.json", "a.json"), ("b/c.json", "b/c.json"), ("d e", "d e")),
}
_NO_DURATIONS = ("0s", "10", "5 m", "-1s", "8d", "1000h", "m", "1m 30s", "s", "+1s", ".5s", "1e3s", "9" * 400 + "s")
WRONG: dict[str, tuple[str, ...]] = {
    "working-directory": ("a\0b",),
    "goproxy": ("https://a.example\nhttps://b.example", "a\0", "a\rb"),
    "fallback": ("yes", "Auto", "any,go"),
    "store": ("gitlab", "dir", "dir:", "dir:\0", "/srv/pool", "ftp://x", "s3://", "https://x/?q", "x s3://b", "Auto"),
    "save": ("yes", "True", "1"),
    "cache-name": ("a\nb", "a\0b", "\udcff"),
    "build-cache": ("yes", "True", "1"),
    "build-cache-name": ("a\nb", "a\0b", "\udcff"),
    "jobs": ("129", "-1", "1.5", "many", "9" * 5000, "٣"),
    "deadline": _NO_DURATIONS,
    "on-failure": ("ignore", "Fail"),
    "check-present": ("yes", "1", "on"),
    "quarantine": ("yes", "1", "off"),
    "for-tidy": ("yes", "1", "all"),
    "test-cache": ("yes", "1", "auto"),
    "summary": ("yes", "0", "off"),
    "attempts": ("0", "21"),
    "connect-timeout": _NO_DURATIONS,
    "stall-timeout": _NO_DURATIONS,
    "restore-deadline": _NO_DURATIONS,
    "save-deadline": _NO_DURATIONS,
    "pool-max-size": ("-1", "5 gigabytes", "9" * 20, "1PB"),
    "pool-max-age": ("30", "0d", "1y", "-1d"),
    "save-private": ("yes", "private"),
    "record": ("yes", "1"),
    "report-file": ("a\nb",),
    "trace": ("a\nb",),
}
rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)


def _in_environment(row: Input, variable: str, action: str) -> dict[str, str]:
    return {row.variable: variable, row.action_variable: action}


@rows
def test_the_default_is_allowed(row: Input) -> None:
    assert read_inputs({}, {})[row.name] == DEFAULTS[row.name]


@rows
def test_flag_beats_variable_beats_action_input_beats_default(row: Input) -> None:
    (flag, from_flag), (variable, from_variable), (action, from_action) = ALLOWED[row.name]
    environ = _in_environment(row, variable, action)
    assert read_inputs({row.name: flag}, environ)[row.name] == from_flag
    assert read_inputs({}, environ)[row.name] == from_variable
    assert read_inputs({}, {row.action_variable: action})[row.name] == from_action


@rows
def test_an_empty_text_counts_as_not_given(row: Input) -> None:
    """As a GitHub runner hands over an input nobody set."""
    action, from_action = ALLOWED[row.name][2]
    assert read_inputs({row.name: " "}, _in_environment(row, "\n", action))[row.name] == from_action
    assert read_inputs({row.name: ""}, _in_environment(row, "", ""))[row.name] == DEFAULTS[row.name]


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, text) for name, texts in WRONG.items() for text in texts],
    ids=lambda text: repr(text)[:30],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, text: str) -> None:
    """Not a password, though."""
    row = BY_NAME[name]
    for flags, environ, given_as in (
        ({name: text}, {}, f"--{name}"),
        ({}, {row.variable: text}, row.variable),
        ({}, {row.action_variable: text}, f"action input {name}"),
    ):
        with pytest.raises(InputError) as caught:
            read_inputs(flags, environ)
        shown = "this text" if name == "goproxy" else repr(text)
        expected = {"name": name, "text": shown, "given_as": given_as, "allowed": row.kind.allowed}
        assert {**facts(caught.value), "meant": ""} == {**expected, "meant": ""}
        assert caught.value.slug == "input-invalid"


def test_proxy_list_on_two_lines_does_not_print_the_password() -> None:
    with pytest.raises(InputError) as caught:
        read_inputs({"goproxy": "https://user:hunter2@a.example\n,direct"}, {})
    assert "hunter2" not in f"{caught.value!r} {printed(caught.value)}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", ["report-file", "trace", "working-directory"])
def test_a_name_of_a_file_may_have_any_bytes(name: str) -> None:
    assert read_inputs({name: "gr\udcfc"}, {})[name] in ("gr\udcfc", ("gr\udcfc",))


def test_every_input_is_in_the_tables_above() -> None:
    names = {row.name for row in TABLE}
    assert names <= DEFAULTS.keys() == ALLOWED.keys() == WRONG.keys()


@pytest.mark.parametrize(
    ("name", "flag", "variable", "action_variable"),
    [
        ("jobs", "--jobs", "GO_PREFETCH_JOBS", "INPUT_JOBS"),
        ("cache-name", "--cache-name", "GO_PREFETCH_CACHE_NAME", "INPUT_CACHE-NAME"),
    ],
)
def test_names(name: str, flag: str, variable: str, action_variable: str) -> None:
    """GitHub's runner makes upper case of an input's name and keeps its dashes."""
    row = BY_NAME[name]
    assert (row.flag, row.variable, row.action_variable) == (flag, variable, action_variable)


def test_action_yml_declares_the_inputs_of_the_table() -> None:
    block = ACTION.read_text().partition("\ninputs:\n")[2].partition("\noutputs:\n")[0]
    declared = set(re.findall(r"^  ([a-z-]+):$", block, re.MULTILINE))
    assert declared == {row.name for row in (*TABLE, *JOB) if row.in_action} | SHIM_INPUTS.keys()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        *((status.value, status) for status in JobStatus),
        ("Success", JobStatus.SUCCESS),
        ("failed", JobStatus.FAILURE),
        ("canceled", JobStatus.CANCELLED),
        ("running", JobStatus.UNKNOWN),
        ("${{ job.status }}", JobStatus.UNKNOWN),
        ("", JobStatus.UNKNOWN),
    ],
)
def test_a_job_status_is_that_of_github_or_gitlab(text: str, status: JobStatus) -> None:
    """`failed` and `canceled` are GitLab's. A runner that evaluates no expression hands its text over."""
    assert read_inputs({}, {"INPUT_JOB-STATUS": text}, JOB)["job-status"] is status


def test_a_matrix_leg_may_have_any_text() -> None:
    leg = '{\n  "os": "\udcff"\n}'
    assert read_inputs({}, {"INPUT_MATRIX": leg}, JOB)["matrix"] == leg


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("2m", 120), ("1m30s", 90), ("500ms", 0.5), ("1h", 3600), ("1.5h", 5400), ("1h1m1ms", 3660.001)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@given(st.text() | st.text("0123456789.msh"))
@settings(deadline=None)
def test_a_duration_is_positive_and_at_most_a_week(text: str) -> None:
    try:
        seconds = duration(text)
    except ValueError:
        return
    assert 0 < seconds <= 7 * 24 * 3600


@given(st.sampled_from(TABLE), st.text())
@settings(deadline=None)
def test_any_text_is_a_value_or_an_input_error(row: Input, text: str) -> None:
    try:
        row.value(text, row.flag)
    except InputError as error:
        assert facts(error)["name"] == row.name  # noqa: PT017


def test_number_of_jobs_zero_means_auto() -> None:
    """The input of GitLab's template is a number."""
    assert read_inputs({}, {"GO_PREFETCH_JOBS": "0"})["jobs"] == DEFAULTS["jobs"]
