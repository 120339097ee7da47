"""The inputs: one table that flags, action inputs, environment variables and documentation share.

A flag beats `GO_PREFETCH_*`, which beats `INPUT_*` (how GitHub passes action inputs), which beats the default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from go_prefetch.config.choices import OnFailure, StoreChoice, StoreKind, When
from go_prefetch.errors import InputError
from go_prefetch.golang.goproxy import Fallback

Value = str | int | float | bool | tuple[str, ...] | Enum | StoreChoice

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Input:
    """One row: its name, its meaning, and how its text becomes a value."""

    name: str
    default: str
    meaning: str
    allowed: str
    parse: Callable[[str], Value]  # raises ValueError
    in_action: bool = True
    default_shown: str = ""
    may_hold_password: bool = False
    is_switch: bool = False  # its flag alone means true

    @property
    def flag(self) -> str:
        """Return its name on the command line."""
        return f"--{self.name}"

    @property
    def is_repeatable(self) -> bool:
        """Return whether its flag may be given more than once, one line each time."""
        return self.parse is lines

    @property
    def variable(self) -> str:
        """Return its environment variable."""
        return "GO_PREFETCH_" + self.name.upper().replace("-", "_")

    @property
    def action_variable(self) -> str:
        """Return the environment variable in which a GitHub runner passes it."""
        return "INPUT_" + self.name.upper()

    def value(self, text: str, given_as: str) -> Value:
        """Return the value of `text`. Raises InputError with the input, the text and what is allowed."""
        try:
            return self.parse(text.strip())
        except ValueError:
            shown = "this text" if self.may_hold_password else repr(text)
            raise InputError(
                "input-invalid", name=self.name, text=shown, given_as=given_as, allowed=self.allowed
            ) from None

    def expand(self, path: Path, text: str) -> Path:
        """Return `path`, which is in `text`, with the user's folder in place of `~`. Raises InputError."""
        try:
            return path.expanduser()
        except RuntimeError as error:
            facts = {"name": self.name, "text": text, "words": str(error), "allowed": self.allowed}
            raise InputError("input-invalid", "path", **facts) from None


def integer(low: int, high: int) -> Callable[[str], int]:
    """Return a parser for a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return parse


def duration(text: str) -> float:
    """Return the seconds of `15s`, `2m`, `1m30s`, `500ms` (Go's notation): more than zero, at most a week."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(text)
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise ValueError(text)
    return seconds


def boolean(text: str) -> bool:
    """Parse `true` or `false` in any case, as YAML 1.2 writes them."""
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def lines(text: str) -> tuple[str, ...]:
    """Return the lines of `text` that are not blank."""
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not found or any("\0" in line for line in found):
        raise ValueError(text)
    return found


def store(text: str) -> StoreChoice:
    """Parse `auto`, `github`, `dir:PATH` or `none`. The path stays as it was written."""
    path = text.removeprefix("dir:")
    if path != text and path and "\0" not in path:
        return StoreChoice(StoreKind.POOL, text, Path(path))
    return StoreChoice(StoreKind(text), text)


def one_line(text: str) -> str:
    """Return any text of one line."""
    if re.search(r"[\r\n\0]", text):
        raise ValueError(text)
    text.encode()  # UnicodeEncodeError, a ValueError, if the environment held bytes that are no text
    return text


_BOOLEAN = "`true` or `false`"
_DURATION = "a duration such as `15s`, `2m` or `1m30s`"

# fmt: off
TABLE: tuple[Input, ...] = (
    Input("working-directory", ".", "folders with a go.mod or go.work, one per line, globs allowed. "
          "If `.` has none: all tracked ones below it", "folders, one per line", lines),
    Input("goproxy", "", "module proxies, as in Go's GOPROXY. The next one is used after `,` if a file is not found, "
          "after `|` on any error. The list may end in `direct` or `off`",
          "a GOPROXY list on one line", one_line, default_shown="`go env GOPROXY`", may_hold_password=True),
    Input("fallback", "auto", "when to use the next proxy after an error: `any` (always), `go` (only after `|`), "
          "`auto` (like `any` if all proxies are well-known public ones, otherwise like `go`)",
          "`auto`, `any` or `go`", Fallback),
    Input("store", "auto", "where module files are kept: `auto` (the CI's cache service, otherwise the directory "
          "pool), `github` (GitHub's cache service), `dir:PATH` (a pool), `none`",
          "`auto`, `github`, `dir:PATH` or `none`", store),
    Input("save", "auto", "save newly downloaded modules: `auto` (if another run can read them), `true`, `false`",
          "`auto`, `true` or `false`", When),
    Input("cache-name", "", "part of the cache key. Change it to start with an empty cache", "one line of text",
          one_line, default_shown="from the module paths"),
    Input("jobs", "16", "parallel downloads", "a whole number from 1 to 128", integer(1, 128)),
    Input("deadline", "10m", "time limit for the whole run, which then ends with status 5", _DURATION, duration),
    Input("on-failure", "fail", "`fail`, or `warn`: exit 0 and leave the rest to later go commands. A checksum "
          "mismatch or invalid input always fails", "`fail` or `warn`", OnFailure),
    Input("check-present", "false", "verify modules that were in the module cache before, too (about 1 s per 650 MB)",
          _BOOLEAN, boolean),
    Input("summary", "true", "write the job summary", _BOOLEAN, boolean),
    Input("attempts", "4", "number of requests for a file at one proxy, and of starts of a Go that stalls",
          "a whole number from 1 to 20", integer(1, 20), in_action=False),
    Input("connect-timeout", "5s", "time limit for a connection to a proxy", _DURATION, duration, in_action=False),
    Input("stall-timeout", "15s", "time limit for a proxy that sends nothing, or only a trickle. "
          "Go itself gets four times as long", _DURATION, duration, in_action=False),
    Input("restore-deadline", "2m", "time limit for the step restore", _DURATION, duration, in_action=False),
    Input("save-deadline", "2m", "time limit for the step save", _DURATION, duration, in_action=False),
    Input("save-private", "auto", "save private modules too: `auto` (if the repository is known to be private), "
          "`true`, `false`", "`auto`, `true` or `false`", When),
    Input("report-file", "", "write the report as JSON to this file", "a file name", one_line, in_action=False,
          default_shown="none"),
    Input("trace", "", "write the time of every request, unpacking and check to this file, for chrome://tracing or "
          "https://ui.perfetto.dev", "a file name", one_line, in_action=False, default_shown="none"),
)
# Variables without a flag: the platform reads them in GitLab's jobs.
NOTE_TOKEN = Input("note-token", "", "the token for this note, with the scope `api`", "one line of text", one_line,
                   in_action=False, default_shown="none", may_hold_password=True)
GITLAB: tuple[Input, ...] = (
    Input("reports", "", "write the report files to this folder of the project", "a folder name", one_line,
          in_action=False, default_shown="none"),
    Input("merge-request-note", "false", "write the job summary as a note on the merge request", _BOOLEAN, boolean,
          in_action=False),
    NOTE_TOKEN,
)
# fmt: on

# Variables of the GitLab template's shell and of the benches, and an output as GitLab hands it to later jobs. They are
# listed so that none is taken for a typing error.
OTHER_VARIABLES = frozenset(
    f"GO_PREFETCH_{name}"
    for name in (
        "ARCHIVE", "ARCHIVE_SECONDS", "ARCHIVE_SHA256", "BENCH_CACHE", "CARRIED", "FOLDER", "HIT_RATE",
        "LATEST_KEY", "LATEST_POLICY", "POLICY", "PYTHON",
    )
)  # fmt: skip

# Read by the action's shim, before there is a Python to read this table.
SHIM_INPUTS = {"python": "the Python interpreter to use (default: the first one that is 3.10 or newer)"}

BY_NAME = {row.name: row for row in TABLE}


def read_inputs(
    flags: Mapping[str, str], environ: Mapping[str, str], table: Iterable[Input] = TABLE
) -> dict[str, Value]:
    """Return the value of every input of a table, by name. An empty text counts as not given.

    Raises InputError for the first value that is not allowed.
    """
    return {row.name: _first_given(row, flags, environ) for row in table}


def _first_given(row: Input, flags: Mapping[str, str], environ: Mapping[str, str]) -> Value:
    places = (
        (row.flag, flags.get(row.name, "")),
        (row.variable, environ.get(row.variable, "")),
        (f"action input {row.name}", environ.get(row.action_variable, "")),
    )
    for given_as, text in places:
        if text.strip():
            return row.value(text, given_as)
    return row.parse(row.default) if row.default else ""
