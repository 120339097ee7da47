"""A terminal, or a CI system we know nothing of: the log on stderr, results on stdout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from go_prefetch.errors import Notice
from go_prefetch.platforms.console import Console, Loudness
from go_prefetch.render.messages import in_full, on_one_line

_BOLD, _YELLOW, _RED = "1", "33", "31"


class Local(Console):
    """Prints for people."""

    repository_is_private = False  # nobody says

    def __init__(self, stderr: TextIO, loudness: Loudness) -> None:
        super().__init__(stderr, loudness)

    def carries(self, folder: Path) -> bool:
        """Never: what is kept is what a store is given."""
        del folder
        return False

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """A heading; nothing is folded here."""
        if self.loudness.verbose:
            self.line(title, _BOLD)
        yield

    def info(self, text: str) -> None:
        """One line of the log."""
        if not self.loudness.quiet:
            self.line(text)

    def detail(self, text: str) -> None:
        """One line of the log, with `--verbose`."""
        if self.loudness.verbose:
            self.line(f"  {text}")

    def warn(self, notice: Notice) -> None:
        """A warning; the text names its file."""
        self.line(f"warning: {on_one_line(notice)}", _YELLOW)

    def error(self, notice: Notice) -> None:
        """An error."""
        self.line(f"error: {in_full(notice)}", _RED)

    def publish(self, outputs: Mapping[str, str], summary: str) -> None:
        """Nobody waits for them here; `--report-file` has them all."""
        del outputs, summary
