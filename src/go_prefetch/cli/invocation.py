"""What every command is called with."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from go_prefetch.config.choices import When
from go_prefetch.config.inputs import Input, read_inputs
from go_prefetch.config.kinds import Value
from go_prefetch.config.settings import Settings, read_settings
from go_prefetch.golang.goproxy import secrets_of
from go_prefetch.model.ci_job import in_ci
from go_prefetch.model.ports import Platform
from go_prefetch.platforms.console import SILENT


@dataclass(frozen=True)
class Invocation:
    """A command line and its surroundings. `texts` are the inputs as their flags were written, by name."""

    arguments: argparse.Namespace
    texts: Mapping[str, str]
    platform: Platform
    environ: Mapping[str, str]
    stdout: TextIO

    @property
    def cwd(self) -> Path:
        """The folder that relative paths start from."""
        return Path.cwd()

    @property
    def is_silent(self) -> bool:
        """Return whether only errors are wanted."""
        return bool(self.arguments.quiet >= SILENT)

    @property
    def is_on_terminal(self) -> bool:
        """Return whether a person reads the output, and no program. CI systems may give a job a terminal."""
        return self.stdout.isatty() and not in_ci(self.environ)

    @property
    def width(self) -> int:
        """Columns of the terminal; 0 where it is none. COLUMNS goes before, as for all programs that look at it."""
        given = self.environ.get("COLUMNS", "")
        if given.isascii() and given.isdigit():
            return int(given[:5])
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns if self.stdout.isatty() else 0
        except OSError:
            return 0

    def shows_record(self, record: When) -> bool:
        """Return whether this input means that the line for programs is printed."""
        return record.applies(auto=not self.is_silent and not self.is_on_terminal)

    def show_result(self, text: str) -> None:
        """Print what the command did: its first line with `-q`, nothing with `-qq`."""
        if not self.is_silent:
            self.platform.show(text.partition("\n")[0] if self.arguments.quiet else text, self.stdout)

    def settings(self) -> Settings:
        """Return the inputs of the main table, and hide a login in --goproxy. Raises InputError."""
        self.platform.hide(secrets_of(self.texts.get("goproxy", "")))
        return read_settings(self.texts, self.environ, self.cwd)

    def values(self, table: Sequence[Input]) -> dict[str, Value]:
        """Return the inputs of another table, by name. Raises InputError."""
        return read_inputs(self.texts, self.environ, table)
