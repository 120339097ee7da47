"""No store: every run starts from the proxies."""

from __future__ import annotations

from dataclasses import dataclass

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice
from go_prefetch.model.ports import Arrived, Saving, Wanted
from go_prefetch.model.results import Restored, Saved


@dataclass(frozen=True)
class Disabled:
    """Has nothing and takes nothing."""

    reason: Notice
    name: str = "no store"

    def restore(self, wanted: Wanted, deadline: Deadline, arrived: Arrived) -> Restored:
        """Nothing, at once."""
        del wanted, deadline, arrived
        return Restored(self.name, skipped_reason=self.reason)

    def save(self, saving: Saving, deadline: Deadline) -> Saved:
        """Not done."""
        del saving, deadline
        return Saved(skipped_reason=self.reason)
