"""`--trace`: what a command did and when, written when it ends, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from go_prefetch.base.atomic_file import write_named
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.config.settings import Settings
from go_prefetch.errors import notice
from go_prefetch.model.ports import Platform


@contextmanager
def traced(settings: Settings, platform: Platform) -> Iterator[Trace]:
    """What to note events in; on leaving it is written to the file that `--trace` names. One that cannot is a warning.

    It is there to explain a run, most of all one that failed: it must not be what fails it.
    """
    if settings.trace is None:
        yield UNTRACED
        return
    trace = Trace()
    try:
        yield trace
    finally:
        try:
            write_named(settings.trace, trace.text(platform.clean).encode())
        except OSError as error:
            platform.warn(notice("trace-unwritable", path=settings.trace, words=error.strerror))
