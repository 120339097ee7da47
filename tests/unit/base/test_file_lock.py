"""Locks exclude other processes, with `flock` and with the locks of Windows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from go_prefetch.base import file_lock

HOLDS = (
    "import sys; from go_prefetch.base import file_lock\n"
    "with file_lock.held(sys.argv[1]):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


@contextmanager
def held_elsewhere(lock: Path) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", HOLDS, str(lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_held_lock_excludes_another_process(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with held_elsewhere(lock), pytest.raises(BlockingIOError), file_lock.held(lock):
        pass


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with held_elsewhere(lock) as process:
        process.kill()
        process.wait()
        with file_lock.held(lock, seconds=60):
            pass


def test_lock_is_free_after_the_block(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    for _ in range(2):
        with file_lock.held(lock):
            pass
    with held_elsewhere(lock):
        pass


def test_locked_file_keeps_its_position_and_is_readable(tmp_path: Path) -> None:
    """Other programs may read a record while the run that writes it holds its lock."""
    lock = tmp_path / "lock"
    with lock.open("w+b", buffering=0) as file:
        file.write(b"first\n")
        file_lock.take(file.fileno())
        file.write(b"second\n")
        assert lock.read_bytes() == b"first\nsecond\n"
        assert os.fstat(file.fileno()).st_size == 13
