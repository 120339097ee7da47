"""One line of the log for programs: what a run did, for figures over many runs. See docs/record.md.

    go-prefetch-record/1 {"version":"1.0.0","result":"partial",…}

The line is ASCII, never a workflow command, and its texts contain no secrets. Every program that prints in a job can
forge a line, so a reader relies on its shape only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from go_prefetch import __version__
from go_prefetch.base.untrusted_json import as_integer, as_number, as_text, parse_object, required
from go_prefetch.model.build_results import BuildSaved
from go_prefetch.model.report import Report
from go_prefetch.render.miss_reasons import why_not_exact
from go_prefetch.render.outputs import matched_key

PREFIX = "go-prefetch-record/1"
BUILD_PREFIX = "go-prefetch-build-record/1"

_LONGEST_LINE = 64 << 10
_LONGEST_TEXT = 2_000
_MOST_SECONDS = 1e9
# What downloaded logs have before a line: `gh` a job and a step, GitHub a time, GitLab a time and a stream; and colors.
_COLOR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BEFORE = r"\ufeff?(?:[^\t{]*\t[^\t{]*\t\ufeff?)?(?:[0-9-]{10}T[0-9:.]+Z (?:[0-9]{2}[OE][ +]?)?)?"
_LINE = re.compile(rf"{_BEFORE}{re.escape(PREFIX)} (\{{.*\}})\s*")


@dataclass(frozen=True)
class Record:
    """What a run did, one value per field. The fields are the keys of the line, in its order."""

    version: str
    result: str  # `present`, `exact`, `partial`, `miss`, `disabled` or `failed`
    key: str
    matched_key: str
    store: str
    modules: int
    modules_present: int
    modules_from_cache: int
    bytes_restored: int
    bytes_downloaded: int  # by go-prefetch and by Go
    seconds: float
    seconds_saved: float | None  # None: not measured
    cold_seconds: float | None
    steps: Mapping[str, float]  # seconds of each step, by its name
    reason: str  # why it was not exact; empty otherwise
    failed_attempts: int
    failures_avoided: int  # files for which plain `go mod download` would have failed
    failure: str  # slug of the error that failed the run, or empty
    saved_bytes: int
    cores: int
    os: str
    go: str
    # Fields that older versions do not write have a default.
    seconds_saved_is_minimum: bool = False
    seconds_saved_estimate: float | None = None  # of a partial hit
    modules_measured: int = 0  # restored modules whose cold download was measured
    build_files_restored: int = 0
    build_bytes_restored: int = 0  # received, of build results
    build_matched_key: str = ""
    test_cache_files: int = 0  # files with a stable time


@dataclass(frozen=True)
class BuildRecord:
    """What a job used of the build cache, and what was saved of it. The fields are the keys of its line."""

    version: str
    matched_key: str  # of the entry that was restored, or empty
    restored_bytes: int  # unpacked, of all outputs that the entries restore
    restored_used_bytes: int  # of these, what the job used
    used_files: int
    used_bytes: int
    new_files: int
    new_bytes: int
    trimmed_bytes: int  # of these, what the next job does not restore
    key: str  # of the new entry, or empty
    is_full: bool
    saved_bytes: int  # sent
    seconds: float
    reason: str  # slug of the reason why nothing was saved, or empty


def record_line(report: Report, clean: Callable[[str], str] = str) -> str:
    """Return the line of this report, without a newline; `clean` removes secrets from each text."""
    return _line(PREFIX, asdict(_record(report)), clean)


def build_record_line(saved: BuildSaved, matched_key: str, clean: Callable[[str], str] = str) -> str:
    """Return the line of a save of the build cache, without a newline."""
    record = BuildRecord(
        version=__version__,
        matched_key=matched_key,
        restored_bytes=saved.restored_bytes,
        restored_used_bytes=saved.restored_used_bytes,
        used_files=saved.used_files,
        used_bytes=saved.used_bytes,
        new_files=saved.new_files,
        new_bytes=saved.new_bytes,
        trimmed_bytes=saved.trimmed_bytes,
        key=saved.key,
        is_full=saved.is_full,
        saved_bytes=saved.bytes,
        seconds=round(saved.seconds, 3),
        reason=saved.skipped_reason.slug if saved.skipped_reason else "",
    )
    return _line(BUILD_PREFIX, asdict(record), clean)


def _line(prefix: str, values: Mapping[str, Any], clean: Callable[[str], str]) -> str:
    cleaned = {name: _short(clean(value)) if isinstance(value, str) else value for name, value in values.items()}
    line = json.dumps(cleaned, ensure_ascii=True, separators=(",", ":"))
    # `##[` is an old form of workflow commands, and counts anywhere in a line. `\u0023` is JSON for `#`.
    return f"{prefix} {line}".replace("##[", "#\\u0023[")


def parse_record(line: str) -> Record | None:
    """Parse the record in a line of a log, as printed or as in a downloaded log; return None if there is none.

    Unknown keys are ignored. A record with a missing key (unless older versions lack it), or with another kind of
    value, is invalid.
    """
    if PREFIX not in line or len(line) > _LONGEST_LINE:
        return None
    match = _LINE.fullmatch(_COLOR.sub("", line.rstrip("\r\n")))
    if match is None:
        return None
    try:
        values = required(parse_object(match[1]))
        present = (field for field in fields(Record) if field.default is MISSING or field.name in values)
        return Record(**{field.name: _checked(str(field.type), values[field.name]) for field in present})
    except (ValueError, KeyError):
        return None


def _record(report: Report) -> Record:
    cold = report.restored.cold
    return Record(
        version=__version__,
        result=report.cache_result,
        key=report.plan.key.text,
        matched_key=matched_key(report),
        store=report.restored.store,
        modules=len(report.plan.modules),
        modules_present=len(report.plan.modules_present),
        modules_from_cache=report.modules_from_cache,
        bytes_restored=report.restored.bytes,
        bytes_downloaded=report.bytes_downloaded,
        seconds=round(report.seconds, 3),
        seconds_saved=_rounded(report.seconds_saved),
        cold_seconds=_rounded(cold.seconds if cold else None),
        steps={name: round(seconds, 3) for name, seconds in report.steps.items()},
        reason="; ".join(reason.text for reason in why_not_exact(report)),
        failed_attempts=sum(source.failed_attempts for source in report.sources),
        failures_avoided=sum(fetched.plain_go_fails for fetched in report.fetched),
        failure=report.completed.failure.slug if report.completed.failure else "",
        saved_bytes=report.saved.bytes,
        cores=report.machine.cores,
        os=report.machine.os,
        go=report.goversion,
        seconds_saved_is_minimum=report.seconds_saved is not None and cold is not None and cold.is_minimum,
        seconds_saved_estimate=_rounded(report.seconds_saved_estimate),
        modules_measured=cold.modules if cold else 0,
        build_files_restored=report.build.files if report.build else 0,
        build_bytes_restored=report.build.bytes if report.build else 0,
        build_matched_key=report.build.key if report.build else "",
        test_cache_files=report.stable_times.files if report.stable_times else 0,
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3) + 0.0


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _checked(kind: str, value: Any) -> Any:
    """Return `value` if it is of this kind. Raises ValueError."""
    if kind == "str":
        return required(as_text(value, _LONGEST_TEXT))
    if kind == "float | None":
        return None if value is None else required(as_number(value, -_MOST_SECONDS, _MOST_SECONDS))
    if kind == "float":
        return required(as_number(value, 0.0, _MOST_SECONDS))
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "int":
        return required(as_integer(value))
    if kind == "Mapping[str, float]" and isinstance(value, dict) and len("".join(value)) <= _LONGEST_TEXT:
        return {name: required(as_number(seconds, 0.0, _MOST_SECONDS)) for name, seconds in value.items()}
    raise ValueError(value)
