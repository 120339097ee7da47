"""No store: every run starts from the proxies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from go_prefetch.modcache import ModuleFile
from go_prefetch.ports import Arrived, Saving
from go_prefetch.results import Restored, Saved
from go_prefetch.retry import Deadline


@dataclass(frozen=True)
class Disabled:
    """Has nothing and takes nothing."""

    because: str
    name: str = "no store"

    def restore(self, files: Sequence[ModuleFile], folder: Path, deadline: Deadline, arrived: Arrived) -> Restored:
        """Nothing, at once."""
        del files, folder, deadline, arrived
        return Restored(self.name)

    def save(self, saving: Saving, deadline: Deadline) -> Saved:
        """Not done."""
        del saving, deadline
        return Saved(because_not=self.because)
