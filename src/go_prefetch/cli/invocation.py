"""What a subcommand is called with."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from go_prefetch.config.inputs import BY_NAME, Input, Value, read_inputs
from go_prefetch.config.settings import Settings, read_settings
from go_prefetch.errors import InputError
from go_prefetch.golang.goproxy import secrets_of
from go_prefetch.model.ports import Platform


@dataclass(frozen=True)
class Invocation:
    """Its command line, and what is around it. `texts` are the flags of its table as they were written, by name."""

    arguments: argparse.Namespace
    texts: Mapping[str, str]
    platform: Platform
    environ: Mapping[str, str]
    stdout: TextIO

    @property
    def folder(self) -> Path:
        """Where the user stands."""
        return Path.cwd()

    def settings(self) -> Settings:
        """The inputs of the main table; a login in --goproxy is never printed from here on. Raises InputError."""
        self.platform.hide(secrets_of(self.texts.get("goproxy", "")))
        return read_settings(self.texts, self.environ, self.folder)

    def settings_of_a_run(self) -> Settings:
        """The same for a command with outputs: whoever waits for these is told of wrong inputs. Raises InputError."""
        try:
            return self.settings()
        except InputError as error:
            from go_prefetch.cli.publish import publish_refusal  # noqa: PLC0415 - `plan` need not wait for it

            publish_refusal(error, self.platform, self.stdout, self._report_file())
            raise

    def _report_file(self) -> Path | None:
        with suppress(InputError):
            named = self.values([BY_NAME["report-file"]])["report-file"]
            return self.folder / str(named) if named else None
        return None

    def values(self, table: Sequence[Input]) -> dict[str, Value]:
        """The inputs of another table. Raises InputError."""
        return read_inputs(self.texts, self.environ, table)
