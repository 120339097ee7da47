"""Where progress is shown: a line of a terminal that is overwritten, or a new line from time to time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TextIO

from go_prefetch.base.windows_names import IS_WINDOWS

_EVERY_LIVE, _EVERY_PLAIN = 0.2, 10.0  # seconds between two lines
_NO_WIDTH = 80  # columns of a terminal that does not tell


class ProgressLine:
    """Decides when a line is due, and what fits. `write` takes text for a terminal, `print_line` a line of a log.

    The caller holds a lock around each call.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        print_line: Callable[[str], None],
        *,
        width: Callable[[], int] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._print_line = print_line
        self._width = width  # None: not a terminal, where a line can be overwritten
        self._clock = clock
        self._last = clock()
        self._is_shown = False
        self.every = _EVERY_LIVE if width else _EVERY_PLAIN

    @property
    def is_due(self) -> bool:
        """Return whether enough time has passed since the last line."""
        return self._clock() - self._last >= self.every

    def show(self, text: str) -> None:
        """Show clean text on one line."""
        self._last = self._clock()
        if self._width is None:
            self._print_line(text)
        else:
            width = self._width() - 1  # a full line would wrap on some terminals
            self._write(f"{self._erase(width)}{cut(text, width)}")
            self._is_shown = True

    def clear(self) -> None:
        """Take the line away, because something else is printed. Elsewhere, that output is a sign of life too."""
        if self._is_shown and self._width is not None:
            self._write(self._erase(self._width() - 1))
            self._is_shown = False
        if self._width is None:
            self._last = self._clock()

    def _erase(self, width: int) -> str:
        """Return what takes the line away. An older console of Windows prints escape sequences as they are."""
        return f"\r{' ' * width}\r" if IS_WINDOWS else "\r\x1b[K"


def cut(text: str, width: int) -> str:
    """Return the beginning of `text` that fits into `width` columns."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: max(0, width - 3)]}..."


def width_of(stream: TextIO) -> Callable[[], int]:
    """Return a function that returns the columns of this terminal, which may change."""

    def width() -> int:
        try:
            return os.get_terminal_size(stream.fileno()).columns or _NO_WIDTH
        except (OSError, ValueError):
            return _NO_WIDTH

    return width
