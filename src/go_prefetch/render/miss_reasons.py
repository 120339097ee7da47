"""Why a run was not an exact hit, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from go_prefetch.base.format import counted
from go_prefetch.errors import ChecksumMismatch, Notice
from go_prefetch.model.failure_cause import common_cause, meant_hosts
from go_prefetch.model.report import Report
from go_prefetch.render.gosum_diff import changes
from go_prefetch.render.messages import hint, hint_of, reason

_LATER = "A later run tries again. If this repeats, use another store."
# Slug of a store's warning: what happened, what to do.
_TROUBLE = {
    "store-slow": (
        "the store was too slow",
        "The proxies took over. Raise `restore-deadline` if the store is worth waiting for.",
    ),
    "store-unreachable": ("the store could not be reached", _LATER),
    "store-refused": ("the store refused to answer", _LATER),
    "store-damaged": ("an entry of the store is damaged or gone", "Nothing to do. A new one is saved."),
    "store-unreadable": ("the store cannot be read", "Give this user read access, or name another pool."),
    "store-no-room": (
        "the disk has too little free space",
        "Free some space, or use a larger disk.",
    ),
}


@dataclass(frozen=True)
class Reason:
    """One cause, as the end of a sentence; and a sentence of advice."""

    text: str
    advice: str = ""


def why_not_exact(report: Report) -> tuple[Reason, ...]:
    """Return the causes, the most important first; none for an exact hit, or if everything was present."""
    if report.plan.disabled_because:
        return (Reason(reason(report.plan.disabled_because)),)
    if report.cache_result in ("present", "exact"):
        return ()
    found = [*_rejected(report), *_not_read(report), *_trouble(report), *_without_sum(report), *_incomplete(report)]
    if not found and not report.completed.failure:
        found = _lacking(report)
    return (*found, *_undelivered(report))


def _rejected(report: Report) -> Iterator[Reason]:
    count = sum(rejection.file in report.restored.files for rejection in report.completed.rejected)
    if count:
        failed = isinstance(report.completed.failure, ChecksumMismatch)
        yield Reason(
            f"Go rejected {counted(count, 'file')} from the store",
            "If a proxy sent the same file, go.sum may be wrong, not the store. The error has the details."
            if failed
            else f"{'' if report.completed.failure else 'The files were replaced. '}"
            "If it happens again, start an empty cache with another `cache-name`.",
        )


def _not_read(report: Report) -> Iterator[Reason]:
    skipped = report.restored.skipped_reason
    if skipped:
        unread = "" if skipped.slug == "no-cache-service" else "the store was not read: "
        yield Reason(f"{unread}{reason(skipped)}", hint(skipped))


def _trouble(report: Report) -> Iterator[Reason]:
    slugs = [warning.slug for warning in report.restored.warnings]
    for slug in dict.fromkeys(slugs):
        text, advice = _TROUBLE.get(slug, ("the store failed", "A later run tries again."))
        yield Reason(f"{text} ({slug})", advice)


def _without_sum(report: Report) -> Iterator[Reason]:
    if report.plan.without_sum and not report.missing_that_counts - report.restored.files:
        count = counted(len(report.plan.without_sum), "module")
        yield Reason(f"go.sum has no hash of {count} that Go needs", "Run `go mod tidy` and commit go.sum.")


def _incomplete(report: Report) -> Iterator[Reason]:
    """Return why a build may need more, if that is the only cause."""
    if report.plan.gaps and not report.missing_that_counts - report.restored.files:
        yield from (Reason(reason(gap), hint(gap)) for gap in report.plan.gaps)


def _lacking(report: Report) -> list[Reason]:
    """Return the cause if nothing went wrong: the store has never had the files, or has them no longer."""
    entry, saved = report.restored.entry, _saved(report)
    lacked = len(report.missing_that_counts - report.restored.files)
    skipped = report.saved.skipped_reason
    if report.not_saved and not report.missing_that_counts:
        return [Reason("none of the missing modules may be saved", _not_saved(report.not_saved))]
    if skipped and skipped.slug == "fill-keeps-folder":  # which has the files now
        held = (
            f"lacked {counted(lacked, 'file')} that go.sum names" if report.restored.files else "had none of the files"
        )
        return [Reason(f"the folder {held}", "Nothing to do. It has them now.")]
    if entry and report.plan.key.digest not in entry.key:
        what = str(changes(report))
        return [
            Reason(f"the file go.sum has changed since the matched entry was saved{f': {what}' if what else ''}", saved)
        ]
    if entry:
        return [Reason(f"the matched entry lacks {counted(lacked, 'file')}", saved)]
    if report.restored.files:
        return [Reason(f"the store lacks {counted(lacked, 'file')} that go.sum names", saved)]
    return [Reason("cache miss: this is the first run, or the entry was evicted", saved)]


def _saved(report: Report) -> str:
    if report.saved.files:
        return "Nothing to do. The modules were saved for the next run."
    skipped = report.saved.skipped_reason
    return _not_saved(skipped) if skipped else ""


def _not_saved(why: Notice) -> str:
    return f"Not saved: {reason(why).removesuffix('.')}. {hint(why) if why.slug == 'not-saved' else ''}".rstrip()


def _undelivered(report: Report) -> Iterator[Reason]:
    failures = (*report.downloaded.failures, *report.completed.refetched.failures)
    lost = [failure for failure in failures if not failure.not_found and failure.file in report.missing_that_counts]
    if lost:
        to_do = hint_of("proxy-unavailable", common_cause(lost), meant=meant_hosts(lost))
        yield Reason(
            f"the proxies did not deliver {counted(len(lost), 'file')}, for example {min(f.file for f in lost)}",
            f"{to_do} The log has each attempt.",
        )
