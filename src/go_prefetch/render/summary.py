"""A Report as text: the headline, and the rows below it in the log."""

from __future__ import annotations

from go_prefetch.base.format import counted, duration, size, wrapped
from go_prefetch.model.report import Origin, Report
from go_prefetch.model.results import Completed, Source
from go_prefetch.render.messages import reason
from go_prefetch.render.miss_reasons import why_not_exact
from go_prefetch.render.texts import STEPS
from go_prefetch.render.time_saved import in_full, in_short

_RESULTS = {"exact": "exact hit", "partial": "partial hit", "miss": "miss"}


def summary_text(report: Report, width: int = 0) -> str:
    """Return the lines to print at the end of a run, each within `width` columns if that is not 0."""
    lines = wrapped(f"go-prefetch: {' '.join(headline(report).split())}", width, further="  ")
    error_follows = report.completed.failure is not None  # it names the cause
    shown = [(label, figure) for label, figure in rows(report) if not (label == "why" and error_follows)]
    for label, figure in shown:
        lines += wrapped(" ".join(figure.split()), width, f"  {label:<11} ", " " * 14)
    # An old form of workflow commands, which counts anywhere in a line. The newer form counts at its start only.
    return "\n".join(lines).replace("##[", "## [")


def headline(report: Report) -> str:
    """Return the most important facts on one line: result · modules · bytes and seconds · time saved."""
    if report.plan.disabled_because:
        return f"nothing to do: {reason(report.plan.disabled_because)}"
    failure = report.completed.failure
    if report.ended_early and failure:
        return f"failed: {failure.slug}"
    count = len(report.plan.modules)
    if report.cache_result == "present" and not failure:
        return _all_present(report)
    there = report.origins.get(Origin.PRESENT, 0)
    asked, present = count - there, f", {there} already present" if there else ""
    without_sum = report.plan.without_sum
    parts = [
        f"failed: {failure.slug}" if failure else _RESULTS[report.cache_result],
        f"{report.modules_from_cache} of {counted(asked, 'module')} from cache{present}" if asked else _known(count),
        f"{counted(len(without_sum), 'module')} without a hash in go.sum left to Go" if without_sum else "",
        f"{_brought(report) or 'nothing downloaded'} in {duration(report.seconds)}",
        in_short(report),
    ]
    return " · ".join(part for part in parts if part)


def _all_present(report: Report) -> str:
    """Return the headline if no zip was missing. go.mod files of versions that are not built may have been."""
    known = _known(len(report.plan.modules))
    packed = f"{len(report.plan.packed)} unpacked and verified" if report.plan.packed else ""
    done = ", ".join(filter(None, [packed, _brought(report)]))
    return f"{known} · {done} in {duration(report.seconds)}" if done else f"nothing to do: {known}"


def _known(count: int) -> str:
    return f"{counted(count, 'module')} already present" if count else "no modules in the plan"


def _brought(report: Report) -> str:
    amounts = [(report.restored.bytes, "restored"), (report.bytes_downloaded, "downloaded")]
    return ", ".join(f"{size(amount)} {how}" for amount, how in amounts if amount)


def has_no_details(report: Report) -> bool:
    """Return whether the headline says all: nothing was to do, or nothing was done."""
    present = report.cache_result == "present" and not report.completed.failure
    return report.ended_early or report.cache_result == "disabled" or (present and not report.plan.packed)


def rows(report: Report) -> list[tuple[str, str]]:
    """Return label and text of every figure; none if there was nothing to do, or nothing was done."""
    if has_no_details(report):
        return []
    return [
        *(("why", f"{reason.text}. {reason.advice}".rstrip()) for reason in why_not_exact(report)),
        ("modules", _modules(report)),
        ("bytes", _bytes(report)),
        ("seconds", _seconds(report)),
        *(("time saved", text) for text in [in_full(report)] if text),
        *(("source", _source(source)) for source in report.suppliers),
        *(("verified", text) for text in [verified(report.completed, report.goversion)] if text),
        ("saved", _saved(report)),
        ("key", report.plan.key.text),
    ]


def _modules(report: Report) -> str:
    """Return the number of modules by their origin."""
    counts = [(report.origins.get(origin, 0), origin) for origin in Origin]
    shown = (f"{count} {origin.value}" for count, origin in counts if count or origin is not Origin.NOWHERE)
    return f"{len(report.plan.modules)}: {', '.join(shown)}"


def _bytes(report: Report) -> str:
    by_us = report.downloaded.bytes + report.completed.refetched.bytes
    parts = [f"{size(report.restored.bytes)} restored", f"{size(by_us)} downloaded"]
    if report.completed.bytes_by_go:
        parts.append(f"{size(report.completed.bytes_by_go)} by Go")
    return ", ".join(parts)


def _seconds(report: Report) -> str:
    steps = ", ".join(f"{STEPS[name]} {seconds:.1f}" for name, seconds in report.steps.items())
    return f"{report.seconds:.1f}: {steps}"


def _source(source: Source) -> str:
    failed = f", {counted(source.failed_attempts, 'failed attempt')}" if source.failed_attempts else ""
    return f"{source.name}: {counted(source.files, 'file')}, {size(source.bytes)}{failed}"


def verified(completed: Completed, goversion: str) -> str:
    """Return whether Go has compared the files of a filled folder with go.sum; empty for other runs: they always do."""
    if completed.unverified_because:
        return f"no: {reason(completed.unverified_because)}"
    if completed.verified is None:
        return ""
    rest = f", {len(completed.unverified)} not: go.sum has two hashes of them" if completed.unverified else ""
    return f"{counted(completed.verified, 'file')} by {goversion}{rest}"


def _saved(report: Report) -> str:
    if report.saved.skipped_reason:
        return f"nothing: {reason(report.saved.skipped_reason)}"
    rest = f". Not saved: {reason(report.not_saved)}" if report.not_saved else ""
    return f"{counted(report.saved.files, 'file')}, {size(report.saved.bytes)}{rest}"
