"""Let Go check what the fast way unpacked; move what is good into the module cache."""

from __future__ import annotations

import re
import sys

from go_prefetch.gocommand import GoEnvironment
from go_prefetch.quarantine import Quarantine
from go_prefetch.results import Plan
from go_prefetch.retry import Deadline
from go_prefetch.trace import UNTRACED, Trace

# The flag of Go that leaves unpacked folders writable. The last one counts.
_WRITABLE_TREES = re.compile(r"""(?:^|\s)['"]?--?modcacherw(?:=(\w+))?(?![\w=-])""")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


def quarantine(plan: Plan, go: GoEnvironment, deadline: Deadline, trace: Trace = UNTRACED) -> Quarantine:
    """The place where the missing zips are unpacked; on Windows, where it was never measured, it takes none."""
    flags = _WRITABLE_TREES.findall(go.goflags)
    writable = bool(flags) and flags[-1] not in _FALSE
    goroot = go.goroot if sys.platform != "win32" else None
    return Quarantine(plan, goroot, writable_trees=writable, deadline=deadline, trace=trace)
