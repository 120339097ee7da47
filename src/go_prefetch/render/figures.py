"""A Report in words, row by row: what text and Markdown both show."""

from __future__ import annotations

from collections import Counter

from go_prefetch.modcache import ModuleFile
from go_prefetch.report import Report
from go_prefetch.results import Source

_HEADLINES = {
    "present": "nothing to do: every module was in the module cache already",
    "exact": "exact hit: the store had every module that was missing",
    "partial": "partial hit: the store had some of the modules that were missing",
    "miss": "miss: the store had none of the modules that were missing",
    "disabled": "nothing to do",
}


def headline(report: Report) -> str:
    """One sentence that says how it went."""
    if report.completed.failure:
        return f"failed: {report.completed.failure.slug}"
    if report.plan.disabled_because:
        return f"disabled: {report.plan.disabled_because}"
    if report.cache_result == "exact" and report.plan.unsaved & {file.module for file in report.plan.missing}:
        return _HEADLINES["exact"] + " and may be saved"
    return _HEADLINES[report.cache_result]


def rows(report: Report) -> list[tuple[str, str]]:
    """Label and text of every figure."""
    if report.plan.disabled_because:
        return []
    return [
        ("modules", _modules(report)),
        ("bytes", _bytes(report)),
        ("seconds", _seconds(report)),
        *(("time saved", saved) for saved in _time_saved(report)),
        *(("source", source) for source in _sources(report)),
        *(("restored", f"nothing: {reason}") for reason in [report.restored.because_not] if reason),
        ("saved", _saved(report)),
        ("key", report.plan.key.text),
    ]


def size(count: int) -> str:
    """Bytes as people read them, in powers of ten."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def _modules(report: Report) -> str:
    """Each module counts once, where its zip came from."""
    zips = [file for file in report.plan.files if file.kind == "zip"]
    places = ("from cache", "downloaded", "by Go", "already present")
    count = Counter(_place(file, report) for file in zips)
    return f"{len(zips)}: " + ", ".join(f"{count[place]} {place}" for place in places)


def _place(file: ModuleFile, report: Report) -> str:
    """Where a zip came from in the end: what Go rejected was replaced by what came after."""
    if file in report.completed.by_go:
        return "by Go"
    if file in report.completed.refetched.files or file in report.downloaded.files:
        return "downloaded"
    if file in report.restored.files:
        return "from cache"
    return "already present" if file in report.plan.present else "nowhere"


def _bytes(report: Report) -> str:
    by_us = report.downloaded.bytes + report.completed.refetched.bytes
    parts = [f"{size(report.restored.bytes)} restored", f"{size(by_us)} downloaded"]
    if report.completed.bytes_by_go:
        parts.append(f"{size(report.completed.bytes_by_go)} by Go")
    return ", ".join(parts)


def _seconds(report: Report) -> str:
    steps = {
        "plan": report.plan.seconds,
        "restore": report.restored.seconds,
        "download": report.downloaded.seconds,
        "admit": report.admitted.seconds,
        "complete": report.completed.seconds,
        "save": report.saved.seconds,
    }
    return f"{report.seconds:.1f}: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in steps.items())


def _time_saved(report: Report) -> list[str]:
    """Only where the store had something to save time with."""
    saved = report.seconds_saved
    if saved is None:
        return ["not measured"] if report.cache_result in ("exact", "partial") else []
    cold = f"downloading these files took {report.restored.cold_seconds:.1f} s when it was done"
    return [f"{saved:.1f} s ({cold})" if saved >= 0 else f"none, {-saved:.1f} s lost ({cold})"]


def _sources(report: Report) -> list[str]:
    found = [_source(source) for source in report.sources]
    if report.restored.files:
        store = Source(report.restored.store, len(report.restored.files), report.restored.bytes, 0)
        found.insert(0, _source(store))
    if report.completed.by_go:
        found.append(_source(Source("Go itself", len(report.completed.by_go), report.completed.bytes_by_go, 0)))
    return found


def _source(source: Source) -> str:
    failed = f", {source.failed_attempts} failed attempts" if source.failed_attempts else ""
    return f"{source.name}: {source.files} files, {size(source.bytes)}{failed}"


def _saved(report: Report) -> str:
    if report.saved.because_not:
        return f"nothing: {report.saved.because_not}"
    return f"{report.saved.files} files, {size(report.saved.bytes)}"
