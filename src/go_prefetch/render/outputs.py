"""A Report as the action's outputs: text each, all always set."""

from __future__ import annotations

from go_prefetch.model.plan import NO_PLAN
from go_prefetch.model.report import Report


def outputs(report: Report) -> dict[str, str]:
    """The outputs that action.yml declares, in its order."""
    saved, rate = report.seconds_saved, report.hit_rate
    return {
        "cache-result": report.cache_result,
        "cache-hit": str(report.cache_result in ("present", "exact")).lower(),
        "cache-key": report.plan.key.text,
        "matched-key": matched_key(report),
        "modules": str(len(report.plan.modules)),
        "modules-from-cache": str(report.modules_from_cache),
        "hit-rate": "" if rate is None else f"{rate:.3f}",
        "bytes-restored": str(report.restored.bytes),
        "bytes-downloaded": str(report.bytes_downloaded),
        "seconds": f"{report.seconds:.1f}",
        "seconds-saved": "" if saved is None else f"{round(saved, 1) + 0.0:.1f}",
        "gomodcache": "" if report.plan is NO_PLAN else str(report.plan.folder.gomodcache),
    }


def matched_key(report: Report) -> str:
    """Of the entry that was restored; a store without entries has, so to say, one for every key."""
    if report.restored.entry and report.restored.files:
        return report.restored.entry.key
    return report.plan.key.text if report.cache_result == "exact" else ""
