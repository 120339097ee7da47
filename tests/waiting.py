"""Waiting for what another process does, and for its end."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable


def wait_until(happened: Callable[[], object], what: str, timeout: float = 30) -> None:
    """Look again and again until `happened`; fails the test after `timeout` seconds."""
    until = time.monotonic() + timeout
    while not happened():
        if time.monotonic() > until:
            raise AssertionError(f"waited {timeout:g}s in vain: {what}")
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether this process lives; one that ended and that nobody has asked after does not."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.strip().startswith("Z")
