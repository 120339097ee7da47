"""How a store notes a cold run, as JSON.

    {"seconds": 12.3, "files": [NAME, …], "times": [[began, ended, bytes], …], "bytes": 36200000, "count": 183,
     "verify_seconds": 2.1, "cores": 4, "os": "linux"}

`times` has one element for each of `files`: milliseconds since the first request of the run, and the file's size. The
run downloaded `count` files with `bytes` in `seconds`, of which a store may have kept some. Notes are untrusted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from go_prefetch.base.untrusted_json import as_integer, as_number, as_text, required
from go_prefetch.golang.modcache import MAX_BYTES
from go_prefetch.model.cold_runs import ColdRun, Machine, Span

_LONGEST_RUN = 7 * 24 * 3600.0  # as long as a deadline can be
_MOST_FILES = 100_000
_LARGEST = max(MAX_BYTES.values())


def as_note(run: ColdRun, written: Callable[[str], object] = str) -> dict[str, Any]:
    """Return the note; `written` is how it names a file."""
    names = sorted(run.files)
    spans = (run.files[name] for name in names)
    return {
        "seconds": round(run.seconds, 3),
        "files": [written(name) for name in names],
        "times": [[round(span.began * 1000), round(span.ended * 1000), span.bytes] for span in spans],
        "bytes": run.bytes,
        "count": run.count,
        "verify_seconds": None if run.verify_seconds is None else round(run.verify_seconds, 3),
        "cores": run.machine.cores,
        "os": run.machine.os,
    }


def parse_note(note: dict[str, Any], name_of: Callable[[Any], str]) -> ColdRun | None:
    """Parse a note; None for one without `times`, as older versions wrote it. Raises ValueError for an invalid one."""
    if "times" not in note:
        return None
    try:
        files, times = note["files"], note["times"]
        if not 0 < len(files) == len(times) <= _MOST_FILES:
            raise ValueError("as many times as files")
        return ColdRun(
            {name_of(file): _span(*time) for file, time in zip(files, times, strict=True)},
            seconds=_seconds(note["seconds"]),
            bytes=required(as_integer(note["bytes"], _MOST_FILES * _LARGEST)),
            count=required(as_integer(note["count"], _MOST_FILES)),
            machine=Machine(required(as_integer(note["cores"], 1 << 20)), required(as_text(note["os"], 100))),
            verify_seconds=None if note["verify_seconds"] is None else _seconds(note["verify_seconds"]),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"no note of a run: {type(error).__name__}") from None


def _span(began: object, ended: object, size: object) -> Span:
    most = round(_LONGEST_RUN * 1000)
    span = Span(
        required(as_integer(began, most)), required(as_integer(ended, most)), required(as_integer(size, _LARGEST))
    )
    if span.ended < span.began:
        raise ValueError("it ends before it begins")
    return Span(span.began / 1000, span.ended / 1000, span.bytes)


def _seconds(value: object) -> float:
    return required(as_number(value, 0.0, _LONGEST_RUN))
