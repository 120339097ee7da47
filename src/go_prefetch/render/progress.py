"""The progress of a piece of work as one line. The most important figures come first, because the line may be cut."""

from __future__ import annotations

from go_prefetch.base.format import duration, size
from go_prefetch.model.progress import Progress

_LONG_IDLE = 2.0  # seconds from which a wait is shown


def progress_line(progress: Progress) -> str:
    """Return `Download: 34 of 227 modules, 12.3 MB, 4.5 MB/s, 3 s`, or what is waited for in place of the rate."""
    failed = f"{progress.failed} failed" if progress.failed else ""
    parts = [progress.note, _count(progress), failed, _bytes(progress), *_pace(progress)]
    return f"{progress.title}: {', '.join(filter(None, parts))}"


def _count(progress: Progress) -> str:
    if progress.modules < progress.all_modules:
        return f"{progress.modules} of {progress.all_modules} modules"
    if progress.all_files and progress.files < progress.all_files:
        return f"{progress.files} of {progress.all_files} files"
    return f"{progress.modules} of {progress.all_modules} modules" if progress.all_modules else ""


def _bytes(progress: Progress) -> str:
    if progress.all_bytes:
        return f"{size(min(progress.bytes, progress.all_bytes))} of {size(progress.all_bytes)}"
    return size(progress.bytes) if progress.bytes else ""


def _pace(progress: Progress) -> tuple[str, ...]:
    if progress.idle >= _LONG_IDLE:
        what = f" for {progress.waiting_for}" if progress.waiting_for else ""
        return (f"waiting {duration(progress.idle)}{what}",)
    rate = int(progress.bytes / max(1.0, progress.seconds))
    return f"{size(rate)}/s" if rate else "", duration(progress.seconds)
