"""The inputs of `report` and `prune`: rows as in inputs.py, and their values. Actions do not have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from go_prefetch.config.choices import ReportFormat, StoreChoice
from go_prefetch.config.inputs import Group, Input
from go_prefetch.config.kinds import (
    AGE,
    POOL,
    SECONDS,
    SHARE,
    SIZE,
    SWITCH,
    Kind,
    Value,
    choice,
    name_of_file,
    text_line,
    text_lines,
    whole_number,
)
from go_prefetch.config.settings import pool_folder, user_cache_folder
from go_prefetch.errors import InputError


def _api_url(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9./_-]*)?", text):
        raise ValueError(text)
    return text.rstrip("/")


def _repository(text: str) -> str:
    if not re.fullmatch(r"(https?://[A-Za-z0-9.\[\]:-]+/)?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+", text):
        raise ValueError(text)
    return text.removesuffix(".git")


def _row(name: str, default: str, meaning: str, kind: Kind, group: Group, shown: str = "") -> Input:
    shown = shown or ("" if default else "none")
    return Input(name, default, meaning, kind, group, in_action=False, default_shown=shown)


_FILE = name_of_file("PATH", "a file name")
_NAMES = text_lines("NAME", "names, one per line")

# fmt: off
_REPO = _row("repo", "", "The repository, `OWNER/NAME` or its URL.",
             Kind(_repository, "REPO", "`OWNER/NAME` or a URL"), Group.REPOSITORY, "the job's, or git's `origin`")
_API = _row("api-url", "", "Its API: `https://HOST/api/v3` for GitHub Enterprise Server, `…/api/v4` for GitLab.",
            Kind(_api_url, "URL", "an http or https URL"), Group.REPOSITORY, "the job's, or the repository's")
_WAIT = _row("wait", "false", "Wait if the API's rate limit is exceeded.", SWITCH, Group.REPOSITORY)
REPORT: tuple[Input, ...] = (
    _REPO,
    _API,
    _row("days", "", "Runs of the last N days.", whole_number(1, 3650), Group.RUNS, "30, without `--runs`"),
    _row("runs", "", "The last N runs.", whole_number(1, 100_000), Group.RUNS, "all of these days"),
    _row("workflow", "", "Only this workflow, by name or file name. You can repeat it.", _NAMES, Group.RUNS, "all"),
    _row("branch", "", "Only this branch. You can repeat it.", _NAMES, Group.RUNS, "all"),
    _row("compare-at", "", "Compare the runs before and after this date or commit.",
         text_line("DATE", "a date such as 2026-03-01 or a commit"), Group.RUNS),
    _row("format", "text", "Format of the report. `html`: one page with charts, which loads nothing.",
         choice(ReportFormat), Group.OUTPUT),
    _row("output", "", "Write the report to this file.", _FILE, Group.OUTPUT, "stdout"),
    _WAIT,
    _row("history-dir", "", "Folder that keeps finished runs, or `none`.", name_of_file("DIR", "a folder, or `none`"),
         Group.CACHE, "in your cache folder"),
    _row("min-hit-rate", "", "Minimum share of missing modules from the cache.", SHARE, Group.GATES),
    _row("max-p95-seconds", "", "Maximum seconds that 95 % of go-prefetch runs take.", SECONDS, Group.GATES),
    _row("max-failure-rate", "", "Maximum share of finished workflow runs that fail.", SHARE, Group.GATES),
)
PRUNE: tuple[Input, ...] = (
    _REPO,
    _API,
    _WAIT,
    _row("delete", "false", "Delete. Without it nothing is changed.", SWITCH, Group.DELETION),
    _row("dry-run", "false", "Change nothing, even with --delete.", SWITCH, Group.DELETION),
    replace(_row("pool", "", "Trim this pool instead of a repository's entries: a folder, or a bucket such as "
                 "`s3://BUCKET/PREFIX`. Without a value: the default pool.",
                 POOL, Group.CACHE), alone="auto"),
    _row("max-age", "", "Minimum time without use: of modules of a pool, of all entries of a branch. In a bucket: "
         "since they were saved.", AGE,
         Group.DELETION, "7d for entries"),
    _row("max-size", "", "Trim the pool to this size. Modules that were not used for longest go first.", SIZE,
         Group.DELETION),
)
# fmt: on


@dataclass(frozen=True)
class ReportSettings:
    """The inputs of `report` as values. Rates are shares; without `history_dir` runs are not kept."""

    format: ReportFormat
    wait: bool
    history_dir: Path | None
    output: Path | None
    repo: str = ""
    api_url: str = ""
    days: int | None = None
    runs: int | None = None
    workflow: tuple[str, ...] = ()
    branch: tuple[str, ...] = ()
    compare_at: str = ""
    min_hit_rate: float | None = None
    max_p95_seconds: float | None = None
    max_failure_rate: float | None = None


@dataclass(frozen=True)
class PruneSettings:
    """The inputs of `prune` as values: `max_age` is seconds, `max_size` bytes, these of a pool."""

    delete: bool
    wait: bool
    pool: Path | None
    bucket: StoreChoice | None = None
    repo: str = ""
    api_url: str = ""
    max_age: float | None = None
    max_size: int | None = None


def report_settings(values: Mapping[str, Value], environ: Mapping[str, str], cwd: Path) -> ReportSettings:
    """Return the settings of these inputs. Raises InputError for a path that cannot be expanded."""
    given = _given(values)
    history_dir = _history_dir(given.pop("history_dir", ""), environ, cwd)
    output = _path("output", given.pop("output", ""), cwd)
    return ReportSettings(**given, history_dir=history_dir, output=output)


def prune_settings(values: Mapping[str, Value], environ: Mapping[str, str], cwd: Path) -> PruneSettings:
    """Return the settings of these inputs. Raises InputError where they do not fit together."""
    given = _given(values)
    dry_run = given.pop("dry_run")
    delete = given.pop("delete") and not dry_run
    choice: StoreChoice | None = given.pop("pool", None)
    has_limit = "max_size" in given or "max_age" in given
    if (delete and not has_limit) if choice else "max_size" in given:
        raise InputError("input-invalid", "prune-pool")
    if choice and choice.url:
        if "max_size" in given:
            raise InputError("input-invalid", "prune-bucket")
        return PruneSettings(**given, delete=delete, pool=None, bucket=choice)
    pool = pool_folder(choice, _row_named("pool"), environ, cwd) if choice else None
    if choice and not pool:
        raise InputError("pool-unknown", name="pool", text=choice.text)
    return PruneSettings(**given, delete=delete, pool=pool)


def _given(values: Mapping[str, Value]) -> dict[str, Any]:
    """Return what was given or has a default, by the name of its field."""
    return {name.replace("-", "_"): value for name, value in values.items() if value != ""}


def _history_dir(text: str, environ: Mapping[str, str], cwd: Path) -> Path | None:
    if text:
        return None if text == "none" else _path("history-dir", text, cwd)
    base = user_cache_folder(environ)
    return base / "go-prefetch" / "history" if base else None


def _path(name: str, text: str, cwd: Path) -> Path | None:
    return cwd / _row_named(name).expand(Path(text), text) if text else None


def _row_named(name: str) -> Input:
    return next(row for row in (*REPORT, *PRUNE) if row.name == name)
