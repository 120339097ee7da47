"""Where the time went: every request, unpacking and check, in the format that Chrome and https://ui.perfetto.dev read.

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (Trace Event Format);
complete events (`ph` X), times in microseconds.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Trace:
    """Collects events from any thread. It records nothing if it is off."""

    def __init__(self, *, is_on: bool = True) -> None:
        self.is_on = is_on
        self._events: list[dict[str, Any]] = []
        self._names: dict[int, str] = {}
        self._began = time.monotonic()

    @contextmanager
    def span(self, name: str, category: str, **details: Any) -> Iterator[dict[str, Any]]:
        """Record the duration of the block. The yielded dict becomes part of the event."""
        if not self.is_on:
            yield details
            return
        began = time.monotonic()
        try:
            yield details
        finally:
            self.add(name, category, began, time.monotonic(), details)

    def add(self, name: str, category: str, began: float, ended: float, details: dict[str, Any]) -> None:
        """Record an event between two moments of the monotonic clock, on the track of this thread."""
        if not self.is_on:
            return
        thread = threading.get_ident()
        self._names.setdefault(thread, threading.current_thread().name)
        event = {"name": name, "cat": category, "ph": "X", "ts": round((began - self._began) * 1e6)}
        event |= {"dur": max(0, round((ended - began) * 1e6)), "pid": 1, "tid": thread, "args": details}
        self._events.append(event)

    def text(self, clean: Callable[[str], str]) -> str:
        """Return all events as JSON; `clean` removes secrets from each text."""
        tracks = [
            {"name": "thread_name", "ph": "M", "pid": 1, "tid": thread, "args": {"name": name}}
            for thread, name in dict(self._names).items()
        ]
        events = [_cleaned(event, clean) for event in (*tracks, *self._events)]
        return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"})


def _cleaned(event: dict[str, Any], clean: Callable[[str], str]) -> dict[str, Any]:
    details = {name: clean(value) if isinstance(value, str) else value for name, value in event["args"].items()}
    return event | {"name": clean(event["name"]), "args": details}


UNTRACED = Trace(is_on=False)
