"""The inputs: one table that flags, action inputs, environment variables, help and documentation share.

A flag beats `GO_PREFETCH_*`, which beats `INPUT_*` (how GitHub passes action inputs), which beats the default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from go_prefetch.config.choices import OnFailure, When
from go_prefetch.config.kinds import (
    AGE,
    AUTO_SWITCH,
    DURATION,
    JOB_STATUS,
    JOBS,
    LOGIN,
    SIZE,
    STORE,
    SWITCH,
    TEXT,
    Kind,
    Value,
    choice,
    lines,
    name_of_file,
    platforms,
    text_line,
    text_lines,
    whole_number,
)
from go_prefetch.errors import InputError
from go_prefetch.golang.goproxy import Fallback


class Group(Enum):
    """The headings of flags in help, in their order."""

    TASKS = "Tasks (at least one)"
    TASK = "Task"
    JOB = "Job"
    REPOSITORY = "Repository"
    RUNS = "Runs"
    CACHE = "Cache"
    PROXIES = "Proxies"
    LIMITS = "Limits"
    GATES = "Gates"
    DELETION = "Deletion"
    OUTPUT = "Output"


@dataclass(frozen=True)
class Input:
    """One row: its name, its meaning, and how its text becomes a value."""

    name: str
    default: str
    meaning: str
    kind: Kind
    group: Group
    in_action: bool = True
    default_shown: str = ""
    may_hold_password: bool = False
    short: str = ""  # a second flag, such as `-C`
    alone: str = ""  # what the flag means without a value; empty if it needs one
    has_variable: bool = True

    @property
    def flag(self) -> str:
        """Return its name on the command line."""
        return f"--{self.name}"

    @property
    def opposite(self) -> str:
        """Return the flag that means `false`, for a switch."""
        return f"--no-{self.name}"

    @property
    def field(self) -> str:
        """Return its name as that of an attribute."""
        return self.name.replace("-", "_")

    @property
    def is_repeatable(self) -> bool:
        """Return whether its flag may be given more than once, one line each time."""
        return self.kind.parse in (lines, platforms)

    @property
    def is_switch(self) -> bool:
        """Return whether its flag needs no value."""
        return self.kind in (SWITCH, AUTO_SWITCH)

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
            return self.kind.parse(text.strip())
        except ValueError:
            has_login = "://" in text and "@" in text
            is_secret = self.may_hold_password or has_login
            shown = "this text" if is_secret else repr(text)
            meant = "" if is_secret else self.kind.meant(text)
            facts = {"name": self.name, "text": shown, "given_as": given_as, "allowed": self.kind.allowed}
            case = "did-you-mean" if meant else "login" if has_login and self.kind is STORE else ""
            raise InputError("input-invalid", case, **facts, meant=meant) from None

    def expand(self, path: Path, text: str) -> Path:
        """Return `path`, which is in `text`, with the user's folder in place of `~`. Raises InputError."""
        try:
            return path.expanduser()
        except RuntimeError as error:
            facts = {"name": self.name, "text": text, "words": str(error), "allowed": self.kind.allowed}
            raise InputError("input-invalid", "path", **facts) from None


_FILE = name_of_file("PATH", "a file name")
_NAME = text_line("NAME", "one line of text")

# fmt: off
TABLE: tuple[Input, ...] = (
    Input("working-directory", ".", "Folder with a go.mod or go.work. More than one: one per line, globs allowed. "
          "A line with `!` in front excludes folders. If `.` has none, all tracked ones below it are used.",
          text_lines("DIR", "folders, one per line"), Group.JOB, short="-C"),
    Input("goproxy", "", "Module proxies, as in Go's GOPROXY. The next one is used after `,` if a file is not found, "
          "after `|` on any error. The list may end in `direct` or `off`.",
          text_line("LIST", "a GOPROXY list on one line"), Group.PROXIES, default_shown="`go env GOPROXY`",
          may_hold_password=True),
    Input("fallback", "auto", "When to use the next proxy after an error. `any`: always. `go`: only after `|`. "
          "`auto`: like `any` if all proxies are well-known public ones, otherwise like `go`.",
          choice(Fallback), Group.PROXIES),
    Input("store", "auto", "Where modules are kept between runs. `auto`: the CI's cache service, otherwise a pool in "
          "your cache folder. `github`: GitHub's cache service. `dir:PATH`: a pool, which is a folder. "
          "`s3://BUCKET/PREFIX`, `gs://`, `az://`, `https://`: a pool that many machines share. "
          "`dir:PATH s3://…`: that pool, and a folder of this machine in front of it.",
          STORE, Group.CACHE),
    Input("save", "auto", "Whether to save newly downloaded modules. `auto`: if another run can read them. A pool in a "
          "bucket or on a server then gets them from the default branch and protected refs only.",
          choice(When), Group.CACHE),
    Input("cache-name", "", "Part of the cache key. Change it to start with an empty cache.", _NAME, Group.CACHE,
          default_shown="from the module paths"),
    Input("build-cache", "false", "Restore the build cache (GOCACHE) too, and save it after the job. `auto`: not in "
          "jobs that publish. Nothing can verify a build cache: anyone who can write to the cache can change your "
          "build.",
          choice(When), Group.CACHE),
    Input("build-cache-name", "", "Jobs with the same name share a build cache.", _NAME, Group.CACHE,
          default_shown="workflow, job and matrix leg"),
    Input("jobs", "auto", "Number of parallel downloads. `auto`: 16, and up to 64 if proxies take long to answer.",
          JOBS, Group.LIMITS),
    Input("deadline", "10m", "Time limit for the whole run, which then ends with status 5.", DURATION, Group.LIMITS),
    Input("on-failure", "fail", "Whether a failed download fails the job. `warn`: exit with 0 and leave the rest to "
          "later go commands. A checksum mismatch or invalid input always fails.", choice(OnFailure), Group.JOB),
    Input("check-present", "false", "Verify modules that were in the module cache before, too. It takes about 1 s per "
          "650 MB.", SWITCH, Group.JOB),
    Input("quarantine", "auto", "Whether Go unpacks and verifies modules in a temporary module cache while others are "
          "downloaded. `auto`: not on Windows. `false`: `go mod download` unpacks and verifies them afterwards.",
          choice(When), Group.JOB, in_action=False),
    Input("for-tidy", "false", "Fetch all modules that go.sum has a hash of. Jobs that run `go mod tidy`, "
          "`go mod vendor` or `go list -m all` need them.", SWITCH, Group.JOB),
    Input("test-cache", "false", "Let `go test` find its results of another checkout. Tracked files get a time that "
          "follows from their content.", SWITCH, Group.JOB),
    Input("summary", "true", "Write the job summary.", SWITCH, Group.OUTPUT),
    Input("attempts", "4", "Number of requests for a file at one proxy, and of starts of a Go that stalls.",
          whole_number(1, 20), Group.LIMITS, in_action=False),
    Input("connect-timeout", "5s", "Time limit for a connection to a proxy.", DURATION, Group.LIMITS, in_action=False),
    Input("stall-timeout", "15s", "Time limit for a proxy that sends nothing, or only a trickle. Go itself gets four "
          "times as long.", DURATION, Group.LIMITS, in_action=False),
    Input("restore-deadline", "2m", "Time limit for the step restore.", DURATION, Group.LIMITS, in_action=False),
    Input("save-deadline", "2m", "Time limit for the step save.", DURATION, Group.LIMITS, in_action=False),
    Input("pool-max-size", "", "Trim a pool on disk to this size at the end of a run. Modules and build caches that "
          "were not used for longest go first, and never those of this run.", SIZE, Group.CACHE, in_action=False,
          default_shown="none"),
    Input("pool-max-age", "", "Remove modules and build caches that no run has used for this long from a pool on disk.",
          AGE, Group.CACHE, in_action=False, default_shown="none"),
    Input("save-private", "auto", "Whether to save private modules. `auto`: if the repository is known to be private.",
          choice(When), Group.CACHE),
    Input("record", "auto", "Print the record, one line for programs, on a terminal too. --no-record never prints it. "
          "Otherwise it is printed in CI, and if the output is not a terminal.", AUTO_SWITCH, Group.OUTPUT,
          in_action=False),
    Input("report-file", "", "Write the report as JSON to this file.", _FILE, Group.OUTPUT, in_action=False,
          default_shown="none"),
    Input("trace", "", "Write the time of every request, unpacking and check to this file. Open it in "
          "chrome://tracing or https://ui.perfetto.dev.", _FILE, Group.OUTPUT, in_action=False, default_shown="none"),
)
# Variables without a flag: the platform reads them in GitLab's jobs.
NOTE_TOKEN = Input("note-token", "", "Token for this note, with the scope `api`.", _NAME, Group.OUTPUT,
                   in_action=False, default_shown="none", may_hold_password=True)
GITLAB: tuple[Input, ...] = (
    Input("reports", "", "Write the report files to this folder of the project.", name_of_file("DIR", "a folder name"),
          Group.OUTPUT, in_action=False, default_shown="none"),
    Input("merge-request-note", "false", "Write the job summary as a note on the merge request.", SWITCH, Group.OUTPUT,
          in_action=False),
    NOTE_TOKEN,
)
# A secret has no flag, because other users can read the arguments of a process.
STORE_LOGIN = Input("store-login", "", "Login for a store on an HTTP server: `user:password`, or a bearer token.",
                    LOGIN, Group.CACHE, in_action=False, default_shown="none", may_hold_password=True)
# What the runner knows of the job. No flag and no documentation: action.yml has expressions as their defaults, and the
# shim sets the last one.
JOB: tuple[Input, ...] = (
    Input("job-status", "unknown", "Status of the job.", JOB_STATUS, Group.JOB),
    Input("matrix", "", "Matrix leg of the job, as JSON.", TEXT, Group.JOB),
    Input("build-cache-state", "", "File in which restoring a build cache leaves what saving it needs.", _FILE,
          Group.CACHE, in_action=False),
    Input("build-cache-carried", "", "Folder that the CI carries for one job's build cache, in place of the pool.",
          _FILE, Group.CACHE, in_action=False),
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
SHIM_INPUTS = {"python": "Python interpreter to use. The default is the first one that is 3.10 or newer."}

BY_NAME = {row.name: row for row in TABLE}


def read_inputs(
    flags: Mapping[str, str], environ: Mapping[str, str], table: Iterable[Input] = TABLE
) -> dict[str, Value]:
    """Return the value of every input of a table, by name. An empty text counts as not given.

    Raises InputError for the first value that is not allowed.
    """
    return {row.name: _first_given(row, flags, environ) for row in table}


def _first_given(row: Input, flags: Mapping[str, str], environ: Mapping[str, str]) -> Value:
    variables = environ if row.has_variable else {}
    places = (
        (row.flag, flags.get(row.name, "")),
        (row.variable, variables.get(row.variable, "")),
        (f"action input {row.name}", variables.get(row.action_variable, "")),
    )
    for given_as, text in places:
        if text.strip():
            return row.value(text, given_as)
    return row.kind.parse(row.default) if row.default else ""
