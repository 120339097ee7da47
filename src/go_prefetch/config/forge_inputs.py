"""The inputs of `report` and `prune`: rows as in inputs.py, and their values. Actions do not have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from go_prefetch.config.choices import ReportFormat
from go_prefetch.config.inputs import Input, Value, boolean, integer, lines, one_line
from go_prefetch.config.settings import user_cache_folder
from go_prefetch.errors import InputError

_UNITS = {"": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SECONDS = {"h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


def share(text: str) -> float:
    """Parse a share such as `0.8` or `80%`."""
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?(%?)", text)
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def positive(text: str) -> float:
    """Parse a number above zero, such as `30` or `2.5`."""
    if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", text) or not float(text):
        raise ValueError(text)
    return float(text)


def age(text: str) -> float:
    """Return the seconds of `12h`, `30d` or `2w`."""
    match = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if not match or not int(match[1]):
        raise ValueError(text)
    return int(match[1]) * _SECONDS[match[2]]


def amount(text: str) -> int:
    """Return the bytes of `5GB`, `500 MB`, `2GiB` or a plain number."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([kMGT]B|[KMG]iB|)", text)
    if not match:
        raise ValueError(text)
    return round(float(match[1]) * _UNITS[match[2]])


def _api_url(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9./_-]*)?", text):
        raise ValueError(text)
    return text.rstrip("/")


def _repository(text: str) -> str:
    if not re.fullmatch(r"(https?://[A-Za-z0-9.\[\]:-]+/)?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+", text):
        raise ValueError(text)
    return text.removesuffix(".git")


def _row(name: str, default: str, meaning: str, allowed: str, parse: Callable[[str], Value], shown: str = "") -> Input:
    shown = shown or ("" if default else "none")
    return Input(name, default, meaning, allowed, parse, in_action=False, default_shown=shown)


def _switch(name: str, meaning: str) -> Input:
    return Input(name, "false", meaning, "`true` or `false`", boolean, in_action=False, is_switch=True)


_REPO = _row("repo", "", "the repository, `OWNER/NAME` or its URL", "`OWNER/NAME` or a URL", _repository,
             "the job's, or that of git's `origin`")  # fmt: skip
_API = _row("api-url", "", "its API URL: `https://HOST/api/v3` for GitHub Enterprise Server, `…/api/v4` for GitLab",
            "an http or https URL", _api_url, "the job's, or the one that belongs to the repository")  # fmt: skip
_WAIT = _switch("wait", "wait if the API's rate limit is exceeded")

# fmt: off
REPORT: tuple[Input, ...] = (
    _REPO,
    _API,
    _row("days", "", "runs of the last D days", "a whole number from 1 to 3650", integer(1, 3650),
         "30, without `--runs`"),
    _row("runs", "", "the last N runs", "a whole number from 1 to 100000", integer(1, 100_000), "all of these days"),
    _row("workflow", "", "only this workflow, by name or file name (repeatable)", "names, one per line", lines,
         "all"),
    _row("branch", "", "only this branch (repeatable)", "names, one per line", lines, "all"),
    _row("compare-at", "", "compare before and after this date or commit", "a date such as 2026-03-01 or a commit",
         one_line),
    _row("format", "text", "`text`, `markdown`, `json`, or `html` (one self-contained page with charts)",
         "`text`, `markdown`, `json` or `html`", ReportFormat),
    _row("output", "", "write to this file", "a file name", one_line, "stdout"),
    _WAIT,
    _row("history-dir", "", "the cache folder for finished runs, or `none`", "a folder, or `none`", one_line,
         "in the user's cache folder"),
    _row("min-hit-rate", "", "gate: minimum share of missing modules from the cache", "0.8 or 80%", share),
    _row("max-p95-seconds", "", "gate: maximum seconds that 95 % of go-prefetch runs take", "a number", positive),
    _row("max-failure-rate", "", "gate: maximum share of finished workflow runs that fail", "0.05 or 5%", share),
)
PRUNE: tuple[Input, ...] = (
    _REPO,
    _API,
    _WAIT,
    _switch("delete", "delete. Without it nothing is changed"),
    _switch("dry-run", "change nothing, even with --delete"),
    _row("pool", "", "trim this directory pool instead of a repository's entries", "a folder", one_line),
    _row("max-age", "", "minimum time without use: of modules of a pool, of all entries of a branch",
         "an age such as `30d`, `12h` or `8w`", age, "7d for entries"),
    _row("max-size", "", "trim the pool to this size, least recently used modules first",
         "a size such as `5GB`", amount),
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


def prune_settings(values: Mapping[str, Value], cwd: Path) -> PruneSettings:
    """Return the settings of these inputs. Raises InputError where they do not fit together."""
    given = _given(values)
    limits_a_pool = "max_size" in given or ("max_age" in given and "pool" in given)
    if limits_a_pool != ("pool" in given):
        raise InputError("input-invalid", "prune-pool")
    delete, dry_run = given.pop("delete"), given.pop("dry_run")
    pool = _path("pool", given.pop("pool", ""), cwd)
    return PruneSettings(**given, delete=delete and not dry_run, pool=pool)


def _given(values: Mapping[str, Value]) -> dict[str, Any]:
    """Return what was given or has a default, by the name of its field."""
    return {name.replace("-", "_"): value for name, value in values.items() if value != ""}


def _history_dir(text: str, environ: Mapping[str, str], cwd: Path) -> Path | None:
    if text:
        return None if text == "none" else _path("history-dir", text, cwd)
    base = user_cache_folder(environ)
    return base / "go-prefetch" / "history" if base else None


def _path(name: str, text: str, cwd: Path) -> Path | None:
    row = next(row for row in (*REPORT, *PRUNE) if row.name == name)
    return cwd / row.expand(Path(text), text) if text else None
