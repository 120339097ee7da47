"""The text of what happened to the build cache and to the times of files: lines of the log and of the job summary."""

from __future__ import annotations

from pathlib import Path

from go_prefetch.base.format import counted, duration, size
from go_prefetch.errors import Notice
from go_prefetch.golang.build_cache import Contents
from go_prefetch.model.build_lineage import Lineage
from go_prefetch.model.build_results import BuildRestored, BuildSaved
from go_prefetch.model.report import Report
from go_prefetch.model.results import StableTimes
from go_prefetch.render.escape import prose
from go_prefetch.render.messages import reason

_TITLE = "build cache"


def lines_of(report: Report) -> list[str]:
    """Return what a run did in addition to modules."""
    build = [restored_text(report.build)] if report.build else []
    return build + ([stable_times_text(report.stable_times)] if report.stable_times else [])


def saved_markdown(saved: BuildSaved) -> str:
    """Return what a job used, and what of it was saved, as Markdown for its summary."""
    title, _, rest = saved_text(saved).partition(": ")
    return f"**go-prefetch: {title}** · {prose(rest)}\n"


def stable_times_text(given: StableTimes) -> str:
    """Return how many files have a time that follows from their content."""
    others = f", {given.others} {'keeps its own' if given.others == 1 else 'keep theirs'}" if given.others else ""
    return f"test cache: {counted(given.files, 'file')} have a stable time{others} ({duration(given.seconds)})"


def restored_text(restored: BuildRestored) -> str:
    """Return what came from the store."""
    if not restored.key:
        why = "" if restored.skipped_reason or restored.warnings else ": there is no entry yet"
        return f"{_TITLE}: nothing restored{why}{_because(restored.skipped_reason)}"
    whose = "" if restored.is_own else ", of another job"
    done = f"{counted(restored.files, 'file')} restored, {size(restored.unpacked_bytes)}"
    if not restored.files and not restored.warnings:
        done = "nothing restored: GOCACHE already has everything"
    return f"{_TITLE}: {done} ({size(restored.bytes)} received in {restored.seconds:.1f} s{whose})"


def saved_text(saved: BuildSaved) -> str:
    """Return what the job used, and what of it was saved."""
    used = f"{_TITLE}: {counted(saved.used_files, 'file')} used, {size(saved.used_bytes)}"
    if saved.restored_bytes:
        used += f" ({saved.restored_used_bytes / saved.restored_bytes:.0%} of the restored bytes)"
    if not saved.key:
        return f"{used}; nothing saved{_because(saved.skipped_reason)}"
    kind = (
        "a full entry" if saved.is_full else f"a delta of {counted(saved.new_files, 'file')}, {size(saved.new_bytes)}"
    )
    if saved.trimmed_bytes:
        gone = size(saved.trimmed_bytes)
        kind += f", without {gone} that were not used" if saved.is_full else f" in place of {gone}"
    return f"{used}; saved {kind} ({size(saved.bytes)} sent in {saved.seconds:.1f} s)"


def status_text(
    state: Notice | object, gocache: Path, lineage: Lineage | None, everything: Contents, used: Contents | None
) -> str:
    """Return the state of the build cache: on or off, its folder, what the job has used so far."""
    lines = [f"{_TITLE}: off", f"  why      {reason(state)}"] if isinstance(state, Notice) else [f"{_TITLE}: on"]
    if gocache.is_absolute():  # not `off`
        lines.append(f"  folder   {gocache}: {counted(everything.files, 'file')}, {size(everything.bytes)}")
    if used:
        lines.append(f"  used     {counted(used.files, 'file')}, {size(used.bytes)} since the restore")
    if lineage:
        lines.append(f"  entries  {lineage.own}…")
    return "\n".join(lines)


def _because(why: Notice | None) -> str:
    return f": {reason(why)}" if why else ""
