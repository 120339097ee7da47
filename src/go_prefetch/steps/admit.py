"""Let Go check what the fast way unpacked; move what is good into the module cache."""

from __future__ import annotations

import sys

from go_prefetch.gocommand import GoEnvironment
from go_prefetch.quarantine import Quarantine
from go_prefetch.results import Plan
from go_prefetch.retry import Deadline

# Flags of Go that leave unpacked folders writable.
_WRITABLE_TREES = frozenset({"-modcacherw", "--modcacherw", "-modcacherw=true", "--modcacherw=true"})


def quarantine(plan: Plan, go: GoEnvironment, deadline: Deadline) -> Quarantine:
    """The place where the missing zips are unpacked; on Windows, where it was never measured, it takes none."""
    writable = bool(_WRITABLE_TREES & set(go.goflags.split()))
    goroot = go.goroot if sys.platform != "win32" else None
    return Quarantine(plan, goroot, writable_trees=writable, deadline=deadline)
