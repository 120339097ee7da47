"""Starts go_prefetch from this checkout: `python -I launch.py PACKAGES run`. PACKAGES is one more folder, or empty.

Isolated (-I), Python looks neither in the current folder nor in PYTHONPATH; the folders below are all it gets besides.
"""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

sys.path[:0] = [str(ROOT / folder) for folder in ("src", "vendored") if (ROOT / folder).is_dir()]
packages = sys.argv.pop(1)
if packages:
    sys.path.append(packages)
runpy.run_module("go_prefetch", run_name="__main__", alter_sys=True)
