"""A Python that stops at a certain moment: just before it gives a finished file its final name."""

from __future__ import annotations

from pathlib import Path

# Python reports every rename to audit hooks, with the open folder that a name is relative to (-1: none).
# sitecustomize is imported before the program is.
_SITECUSTOMIZE = """\
import os, sys, time

def final(name, folder):
    if folder == -1:
        return os.path.abspath(name)
    return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)

def hold(event, arguments):
    if event != "os.rename" or os.path.exists(os.environ["HOLD_REACHED"]):
        return  # what is tidied up afterwards is moved, too
    if final(os.fspath(arguments[1]), arguments[3]).startswith(os.environ["HOLD_BELOW"]):
        open(os.environ["HOLD_REACHED"], "w").close()
        while True:
            time.sleep(0.1)

sys.addaudithook(hold)
"""


def variables_to_hold_renames(folder: Path, below: Path, reached: Path) -> dict[str, str]:
    """Environment for a program that is to hang at its first rename to a name below `below`, having made `reached`."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE)
    return {"PYTHONPATH": str(folder), "HOLD_BELOW": str(below), "HOLD_REACHED": str(reached)}
