"""A terminal: secrets hidden, control characters removed, progress in its place. Other platforms differ in part."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from go_prefetch.base.redaction import CONTROL, hide
from go_prefetch.errors import Notice
from go_prefetch.render.messages import as_error, as_warning

_PLAIN = re.compile(r"[a-z]*|[0-9.]+", re.ASCII)  # plain words and numbers, such as `exact` and `0.98`
_PLAIN_PROGRESS_SECONDS = 10.0
_LIVE_PROGRESS_SECONDS = 0.1
_BOLD, _YELLOW, _RED = "1", "33", "31"


@dataclass(frozen=True)
class Loudness:
    """How much is printed."""

    quiet: bool = False
    verbose: bool = False
    color: bool = False


class Console:
    """Prints for people: a terminal, or a CI system that has no class of its own. `stream` takes the log."""

    job_began: float | None = None  # unknown
    draws_mermaid = False
    warning, failure = "warning", "error"  # what lines of the log begin with

    def __init__(self, stream: TextIO, loudness: Loudness) -> None:
        self.loudness = loudness
        self._stream = stream
        self._secrets: tuple[str, ...] = ()
        self._is_live = stream.isatty() and not loudness.quiet
        self._progress_shown = False
        self._last_progress = time.monotonic()

    @property
    def repository_is_private(self) -> bool:
        """Return False: nothing says so."""
        return False

    def carries(self, folder: Path) -> bool:
        """Return False: only a store keeps files."""
        del folder
        return False

    def hide(self, secrets: frozenset[str]) -> None:
        """Never print these secrets. The longest is replaced first, so that no part of it is left."""
        printable = {CONTROL.sub("", secret) for secret in secrets}
        self._secrets = tuple(sorted({*self._secrets, *secrets, *printable} - {""}, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """Return `text` without secrets and control characters. Newlines and tabs stay."""
        # Twice: untrusted text may hold a secret with control characters in it.
        return hide(CONTROL.sub("", hide(text, self._secrets)), self._secrets)

    def _cleaned(self, outputs: Mapping[str, str]) -> dict[str, str]:
        """Return outputs without secrets. Plain words and numbers stay, because programs read them."""
        return {name: value if _PLAIN.fullmatch(value) else self.clean(value) for name, value in outputs.items()}

    def show(self, text: str, stdout: TextIO) -> None:
        """Print the result of a command. It may quote untrusted text, as the log does."""
        _print(f"{self._harmless(self.clean(text))}\n", stdout)

    def _harmless(self, text: str) -> str:
        """Return clean text without what the reader of this log takes for a command."""
        return text

    def line(self, text: str, style: str = "") -> None:
        """Print `text`, with ANSI numbers as its style if colors are wanted."""
        self._clear_progress()
        cleaned = self._harmless(self.clean(text))
        self._write(f"\x1b[{style}m{cleaned}\x1b[0m\n" if style and self.loudness.color else f"{cleaned}\n")

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Print a heading, with `--verbose`."""
        if self.loudness.verbose:
            self.line(title, _BOLD)
        yield

    def info(self, text: str) -> None:
        """Print one line, unless only warnings are wanted."""
        if not self.loudness.quiet:
            self.line(text)

    @property
    def shows_details(self) -> bool:
        """Return whether `detail` prints."""
        return self.loudness.verbose

    def detail(self, text: str) -> None:
        """Print one line, for readers who want more."""
        if self.shows_details:
            self.line(f"  {text}")

    def notice(self, notice: Notice) -> None:
        """Print one line, unless only warnings are wanted."""
        if not self.loudness.quiet:
            self.line(f"note: {as_warning(notice)}")

    def warn(self, notice: Notice) -> None:
        """Print a warning; its text names its file."""
        self.line(f"{self.warning}: {as_warning(notice)}", _YELLOW)

    def error(self, notice: Notice) -> None:
        """Print an error."""
        self.line(f"{self.failure}: {as_error(notice)}", _RED)

    def publish(self, outputs: Mapping[str, str], summary: str) -> None:
        """Do nothing: no later step reads outputs here."""
        del outputs, summary

    def progress(self, text: str) -> None:
        """Overwrite a line of a terminal; elsewhere print a line from time to time."""
        now = time.monotonic()
        pause = _LIVE_PROGRESS_SECONDS if self._is_live else _PLAIN_PROGRESS_SECONDS
        if self.loudness.quiet or now - self._last_progress < pause:
            return
        self._last_progress = now
        if self._is_live:
            self._write(f"\r\x1b[K{self.clean(text)}")
            self._progress_shown = True
        else:
            self.line(text)

    def _clear_progress(self) -> None:
        if self._progress_shown:
            self._write("\r\x1b[K")
            self._progress_shown = False

    def _write(self, text: str) -> None:
        _print(text, self._stream)


def _print(text: str, stream: TextIO) -> None:
    """Print at once, and replace what the stream's encoding lacks: file names need not be text."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, errors="replace").decode(encoding))
    stream.flush()
