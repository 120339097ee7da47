"""Follow a running go by its output, and end the wait when it makes no progress."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from go_prefetch.base import process_group
from go_prefetch.base.retry import CRAWL_BYTES_PER_SECOND, Deadline
from go_prefetch.golang.download_trace import GoTrace, Pending

_KEPT_LINES = 2000
_LOOK_EVERY = 0.25  # seconds between two checks of a silent process
# Seconds for the last lines of go: they are in the pipe, and on a busy machine the reading thread takes a while.
_LAST_WORDS = 2.0
# Of one core, and in seconds: below it, go only waits. A server that sends a trickle keeps it a little busy.
_IDLE_SHARE, _IDLE_SECONDS = 0.005, 0.02


@dataclass(frozen=True)
class Watch:
    """Decides when to kill a silent go: no line, little CPU time and little growth for `silence` seconds.

    `growth` returns the number of files in the folder of its downloads, and their bytes.
    """

    silence: float
    growth: Callable[[], tuple[int, int]]
    on_line: Callable[[str], None]
    deadline: Deadline
    on_pending: Callable[[tuple[Pending, ...]], None] = lambda _: None  # the requests that have not ended


class _Vitals(NamedTuple):
    cpu: float
    files: int
    size: int

    def is_far_from(self, other: _Vitals, silence: float) -> bool:
        """Return whether enough has changed between the two in that many seconds."""
        return (
            self.files != other.files
            or abs(self.size - other.size) >= CRAWL_BYTES_PER_SECOND * silence
            or abs(self.cpu - other.cpu) >= max(_IDLE_SECONDS, _IDLE_SHARE * silence)
        )


def follow(process: subprocess.Popen[bytes], watch: Watch, trace: GoTrace) -> tuple[tuple[str, ...], bool]:
    """Read stderr until go ends, makes no progress for too long, or the deadline passes.

    Return the lines that do not belong to the trace, and whether go still runs and must be killed.

    After the end of go, its last lines are waited for, but not the end of stderr. A daemon of git or ssh may keep it
    open for long.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(process, lines), daemon=True).start()
    kept: list[str] = []
    last_moved, vitals = time.monotonic(), _Vitals(0.0, 0, 0)
    while True:
        has_ended = process.poll() is not None
        try:
            line = lines.get(timeout=_LAST_WORDS if has_ended else _LOOK_EVERY)
        except queue.Empty:
            if has_ended:
                return tuple(kept), False
            now = time.monotonic()
            if now - last_moved > min(1.0, watch.silence / 4):
                seen = _Vitals(process_group.cpu_seconds(process), *watch.growth())
                if seen.is_far_from(vitals, watch.silence):
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
        watch.on_pending(trace.pending)
        if watch.deadline.passed():
            return tuple(kept), True


def _read_lines(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[str | None]) -> None:
    try:
        with process.stderr or contextlib.nullcontext(()) as errors:
            for raw in errors:
                lines.put(raw.decode("utf-8", errors="replace").rstrip())
    finally:
        lines.put(None)
