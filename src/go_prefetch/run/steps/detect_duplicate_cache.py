"""Notice a module cache that another step restores as well, unverified: setup-go's, unless it is told otherwise."""

from __future__ import annotations

from go_prefetch.errors import Notice, notice
from go_prefetch.model.plan import Plan


def detect_duplicate_cache(plan: Plan, job_began: float | None) -> Notice | None:
    """A notice if planned modules are older than the job's fresh machine, so that a cache put them there."""
    if job_began is None:
        return None
    zips = map(plan.folder.zip_path, plan.modules_present)
    older = sum(path.is_file() and path.stat().st_mtime < job_began for path in zips)
    if not older:
        return None
    return notice("duplicate-cache", count=older, total=len(plan.modules))
