"""Let Go check what the fast way unpacked; move what is good into the module cache."""

from __future__ import annotations

import sys

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.golang import goflags
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.model.plan import Plan
from go_prefetch.verification.quarantine import Quarantine


def quarantine(plan: Plan, go: GoEnvironment, deadline: Deadline, trace: Trace = UNTRACED) -> Quarantine:
    """The place where the missing zips are unpacked; on Windows, where it was never measured, it takes none."""
    writable = goflags.is_set(go.goflags, "modcacherw")  # leaves unpacked folders writable
    goroot = go.goroot if sys.platform != "win32" else None
    return Quarantine(plan, goroot, writable_trees=writable, deadline=deadline, trace=trace)
