"""Follow a running go by what it prints, and end the wait when nothing about it moves any more."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from go_prefetch import processgroup
from go_prefetch.gotrace import GoTrace
from go_prefetch.retry import Deadline

_KEPT_LINES = 2000
_LOOK_EVERY = 0.25  # seconds between two looks at a silent process
# Seconds for what go said before its end: it is in the pipe, and on a busy machine our thread takes a while.
_LAST_WORDS = 2.0


@dataclass(frozen=True)
class Watch:
    """When to kill a silent go: no line, no CPU time and no `signs_of_life` for `silence` seconds."""

    silence: float
    signs_of_life: Callable[[], object]
    on_line: Callable[[str], None]
    deadline: Deadline


def follow(process: subprocess.Popen[bytes], watch: Watch, trace: GoTrace) -> tuple[tuple[str, ...], bool]:
    """Read stderr until go has ended, or nothing has moved for too long, or the deadline.

    Returns the lines that are no trace of its work, and whether it is still running and should not be.

    Once go has ended, its last words are waited for, but not the end of stderr: a daemon that go's git or ssh left
    behind may hold it open for long.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(process, lines), daemon=True).start()
    kept: list[str] = []
    last_moved, vitals = time.monotonic(), None
    while True:
        has_ended = process.poll() is not None
        try:
            line = lines.get(timeout=_LAST_WORDS if has_ended else _LOOK_EVERY)
        except queue.Empty:
            if has_ended:
                return tuple(kept), False
            now = time.monotonic()
            if now - last_moved > min(1.0, watch.silence / 4):
                seen = (processgroup.cpu_seconds(process), watch.signs_of_life())
                if seen != vitals:
                    last_moved, vitals = now, seen
            if now - last_moved > watch.silence or watch.deadline.passed():
                return tuple(kept), True
            continue
        if line is None:
            process.wait()
            return tuple(kept), False
        last_moved = time.monotonic()
        watch.on_line(line)
        if not trace.read(line) and len(kept) < _KEPT_LINES:
            kept.append(line)
        if watch.deadline.passed():
            return tuple(kept), True


def _read_lines(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[str | None]) -> None:
    try:
        with process.stderr or contextlib.nullcontext(()) as errors:
            for raw in errors:
                lines.put(raw.decode("utf-8", errors="replace").rstrip())
    finally:
        lines.put(None)
