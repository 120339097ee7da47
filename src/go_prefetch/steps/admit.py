"""Let Go check what the fast way unpacked; move what is good into the module cache."""

from __future__ import annotations

import sys

from go_prefetch import goflags
from go_prefetch.goenvironment import GoEnvironment
from go_prefetch.quarantine import Quarantine
from go_prefetch.results import Plan
from go_prefetch.retry import Deadline
from go_prefetch.trace import UNTRACED, Trace


def quarantine(plan: Plan, go: GoEnvironment, deadline: Deadline, trace: Trace = UNTRACED) -> Quarantine:
    """The place where the missing zips are unpacked; on Windows, where it was never measured, it takes none."""
    writable = goflags.is_set(go.goflags, "modcacherw")  # leaves unpacked folders writable
    goroot = go.goroot if sys.platform != "win32" else None
    return Quarantine(plan, goroot, writable_trees=writable, deadline=deadline, trace=trace)
