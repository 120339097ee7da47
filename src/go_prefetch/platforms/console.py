"""A terminal: secrets hidden, control characters removed, progress in its place. Other platforms differ in part."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from go_prefetch.base.format import wrapped
from go_prefetch.base.redaction import CONTROL, hide
from go_prefetch.errors import Notice
from go_prefetch.model.progress import Meter
from go_prefetch.platforms.progress_line import ProgressLine, width_of
from go_prefetch.render.messages import as_error, as_warning
from go_prefetch.render.progress import progress_line

_PLAIN = re.compile(r"[a-z]*|[0-9.]+", re.ASCII)  # plain words and numbers, such as `exact` and `0.98`
_LOOK_EVERY = 0.2  # seconds between two looks at the work
SILENT = 2  # times `-q`
_LOOK_ALIKES = str.maketrans({"·": "-", "…": "..."})
_BOLD, _YELLOW, _RED = "1", "33", "31"


@dataclass(frozen=True)
class Loudness:
    """How much is printed."""

    quiet: int = 0  # how often `-q` is given: once leaves out progress, twice warnings
    verbose: bool = False
    color: bool = False
    overwrites: bool = False  # whether progress may overwrite a line of a terminal

    @property
    def is_silent(self) -> bool:
        """Return whether only errors are printed."""
        return self.quiet >= SILENT


@dataclass
class _Group:
    """A section of the log. It opens with its second line. No title: no section."""

    title: str = ""
    is_open: bool = False
    first: str | None = None


class Console:
    """Prints for people: a terminal, or a CI system that has no class of its own. `stream` takes the log."""

    job_began: float | None = None  # unknown
    draws_mermaid = False
    folds = False  # whether the log shows only the heading of a section
    warning, failure = "warning", "error"  # what lines of the log begin with

    def __init__(self, stream: TextIO, loudness: Loudness) -> None:
        self.loudness = loudness
        self._stream = stream
        self._secrets: tuple[str, ...] = ()
        self._lock = threading.RLock()  # of the stream: progress is printed by a thread
        self._width = width_of(stream) if loudness.overwrites else None
        self._progress = ProgressLine(self._write, self.line, width=self._width)
        self._meters: list[Meter] = []
        self._group = _Group()

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
        """Return `text` without secrets and control characters. Newlines and tabs stay.

        Bytes that are no text are replaced: file names need not be text, and no file or API takes such strings.
        """
        # Twice: untrusted text may hold a secret with control characters in it.
        cleaned = hide(CONTROL.sub("", hide(text, self._secrets)), self._secrets)
        return cleaned.encode(errors="replace").decode()

    def _cleaned(self, outputs: Mapping[str, str]) -> dict[str, str]:
        """Return outputs without secrets. Plain words and numbers stay, because programs read them."""
        return {name: value if _PLAIN.fullmatch(value) else self.clean(value) for name, value in outputs.items()}

    def show(self, text: str, stdout: TextIO) -> None:
        """Print the result of a command. It may quote untrusted text, as the log does."""
        cleaned = self._harmless(self.clean(text))
        with self._lock:
            self._before_output()
            _print(f"{cleaned}\n", stdout)

    def _harmless(self, text: str) -> str:
        """Return clean text without what the reader of this log takes for a command."""
        return text

    def line(self, text: str, style: str = "") -> None:
        """Print `text` at once, with ANSI numbers as its style if colors are wanted."""
        cleaned = self._harmless(self.clean(text))
        with self._lock:
            self._before_output()
            self._put(cleaned, style)

    def _line_of_group(self, text: str) -> None:
        """Print `text`. The first line of a group waits for a second one."""
        with self._lock:
            if self._group.title and self._group.first is None:
                self._group.first = self._harmless(self.clean(text))
            else:
                self.line(text)

    def _put(self, cleaned: str, style: str = "") -> None:
        text = "\n".join(map(self._filled, cleaned.split("\n")))
        self._write(f"\x1b[{style}m{text}\x1b[0m\n" if style and self.loudness.color else f"{text}\n")

    def _filled(self, line: str) -> str:
        """Return `line` as it fits the terminal, which would break it inside a word."""
        indent = " " * (len(line) - len(line.lstrip(" ")))
        return "\n".join(wrapped(line, self._width(), further=f"{indent}  ")) if self._width else line

    def _before_output(self) -> None:
        """Take the progress away, and print what the group holds back. Call it before anything is printed."""
        self._progress.clear()
        group = self._group
        if group.first is not None and not group.is_open:
            group.is_open = True
            self._open_group(group.title)
            self._put(group.first)

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Put the lines of the block into a section of the log with this heading. A single line needs no section."""
        with self._lock:
            self._group = _Group(title)
        try:
            yield
        finally:
            with self._lock:
                group, self._group = self._group, _Group()
                if group.is_open:
                    self._close_group(title)
                elif group.first is not None:
                    self._progress.clear()
                    self._put(f"{title}: {group.first}")

    def _open_group(self, title: str) -> None:
        """Print the heading of a section, with `--verbose`."""
        if self.loudness.verbose:
            self._put(self.clean(title), _BOLD)

    def _close_group(self, title: str) -> None:
        """Print the end of a section: nothing here."""

    def fold(self, title: str, lines: Sequence[str]) -> None:
        """Print lines that few readers need, where the log can fold them, or with `--verbose`."""
        if lines and (self.folds or self.shows_details) and not self.loudness.quiet:
            with self.group(title):
                for line in lines:
                    self.info(line)

    def info(self, text: str) -> None:
        """Print one line, unless only warnings are wanted."""
        if not self.loudness.quiet:
            self._line_of_group(text)

    @property
    def shows_details(self) -> bool:
        """Return whether `detail` prints."""
        return self.loudness.verbose

    def detail(self, text: str) -> None:
        """Print one line, for readers who want more."""
        if self.shows_details:
            self._line_of_group(f"  {text}")

    def notice(self, notice: Notice) -> None:
        """Print one line, unless only warnings are wanted."""
        if not self.loudness.quiet:
            self.line(f"note: {as_warning(notice)}")

    def warn(self, notice: Notice) -> None:
        """Print a warning; its text names its file."""
        if not self.loudness.is_silent:
            self.line(f"{self.warning}: {as_warning(notice)}", _YELLOW)

    def error(self, notice: Notice) -> None:
        """Print an error."""
        self.line(f"{self.failure}: {as_error(notice)}", _RED)

    def publish(self, outputs: Mapping[str, str], summary: str) -> None:
        """Do nothing: no later step reads outputs here."""
        del outputs, summary

    def add_to_summary(self, text: str) -> None:
        """Do nothing: there is no summary that a later step can add to."""
        del text

    @contextmanager
    def working(self, title: str) -> Iterator[Meter]:
        """Show the progress of the block, which the meter takes. Inner work is shown in place of outer work."""
        meter = Meter(title)
        self._meters.append(meter)
        over = threading.Event()
        if len(self._meters) == 1 and not self.loudness.quiet:
            threading.Thread(target=self._show_progress, args=(over,), daemon=True, name="progress").start()
        try:
            yield meter
        finally:
            self._meters.remove(meter)
            with self._lock:
                over.set()
                self._progress.clear()

    def _show_progress(self, over: threading.Event) -> None:
        """Show progress until the outer work is over. A closed output is reported by the work's own lines."""
        while not over.wait(_LOOK_EVERY):
            for meter in self._meters[-1:]:
                progress = meter.read()  # each time, so that a wait is measured from its beginning
                if not self._progress.is_due:
                    continue
                text = self.clean(progress_line(progress))
                with self._lock, suppress(OSError, ValueError):
                    if not over.is_set():
                        self._progress.show(text)

    def _write(self, text: str) -> None:
        _print(text, self._stream)


def encodable(text: str, stream: TextIO) -> str:
    """Replace what the stream's encoding lacks."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_LOOK_ALIKES)
    return text.encode(encoding, errors="replace").decode(encoding)


def _print(text: str, stream: TextIO) -> None:
    """Print at once."""
    stream.write(encodable(text, stream))
    stream.flush()
