"""The kind of machine a run was measured on: seconds of another kind are no measure."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple


class Machine(NamedTuple):
    """What decides how long Go takes over the same files, as far as it is easily told."""

    cores: int = 0  # 0: not noted
    os: str = ""  # as `sys.platform` spells it; empty: not noted

    def __str__(self) -> str:
        cores = f"{self.cores} core{'' if self.cores == 1 else 's'}" if self.cores else "unknown cores"
        return f"{self.os or 'unknown system'} with {cores}"


def this_machine() -> Machine:
    """The one we run on."""
    return Machine(os.cpu_count() or 1, sys.platform)
