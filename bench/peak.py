"""Run a Python module or script and note the peak memory of this process alone, and of its children, as JSON.

python bench/peak.py FILE -m go_prefetch run --store none
python bench/peak.py FILE bench/intake.py URL
"""

from __future__ import annotations

import json
import resource
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Run what the arguments name as if it had been started itself; write FILE however it ends."""
    file, arguments = Path(sys.argv[1]), sys.argv[2:]
    as_module = arguments[0] == "-m"
    sys.argv = arguments[1:] if as_module else arguments
    try:
        if as_module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        file.write_text(json.dumps({"python": _megabytes(resource.RUSAGE_SELF), "child": _peak_of_children()}))


def _peak_of_children() -> float:
    """Of the largest child: several at once may use more."""
    return _megabytes(resource.RUSAGE_CHILDREN)


def _megabytes(whose: int) -> float:
    """Linux counts in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(whose).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
