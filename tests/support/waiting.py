"""Waiting for what another process does, and for its end."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil


def wait_until(happened: Callable[[], object], what: str, timeout: float = 30) -> None:
    """Look again and again until `happened`; fails the test after `timeout` seconds."""
    until = time.monotonic() + timeout
    while not happened():
        if time.monotonic() > until:
            raise AssertionError(f"waited {timeout:g}s in vain: {what}")
        time.sleep(0.01)


def wait_for_end(pid: int) -> None:
    """Wait until this process has ended."""
    wait_until(lambda: not is_running(pid), f"the end of process {pid}")


def is_running(pid: int) -> bool:
    """Whether this process lives; one that ended and that nobody has asked after does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
