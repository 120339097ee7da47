"""The layout of help: what a command does, its usage, examples, and its flags in groups."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

_WIDEST = 100  # columns; longer lines are hard to read
_FLAG_COLUMNS = 30  # of flags, to the left of their meaning
_NONE: Mapping[str, str] = {}
_UNBROKEN = re.compile(r"`[^`]*`|\[default: [^\]]*\]")
_GLUE = "\xa0"  # a blank at which no line ends

Examples = Sequence[tuple[str, str]]  # a comment, and a command line


class HelpParser(argparse.ArgumentParser):
    """Prints the description first, then usage, examples, commands, groups of flags and the epilog."""

    def __init__(
        self,
        prog: str,
        arguments: str,
        description: str,
        examples: Examples,
        commands: Mapping[str, str] = _NONE,
        *,
        color: bool = False,
    ) -> None:
        del color  # Python 3.14 gives it to each subparser
        usage = f"{prog} {arguments}"
        super().__init__(prog, usage, description, formatter_class=HelpFormatter, add_help=False, allow_abbrev=False)
        self.color = False  # Python 3.14 would color a part
        self._texts = (_examples(examples), _commands(commands))

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print help or the version. Raises OSError, unlike argparse, so that a full disk is an error."""
        (file or sys.stderr).write(message)

    def format_help(self) -> str:
        """Return the help."""
        formatter = self._get_formatter()
        formatter.add_text(self.description)
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups, prefix="Usage: ")
        for text in self._texts:
            formatter.add_text(text)
        for group in self._action_groups:
            formatter.start_section(group.title)
            formatter.add_arguments(group._group_actions)  # noqa: SLF001 - as argparse's own format_help does
            formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()


class HelpFormatter(argparse.HelpFormatter):
    """Fills paragraphs to the width of the terminal. A paragraph of several lines stays as it is."""

    def __init__(self, prog: str, *, color: bool = False) -> None:
        del color  # newer versions of Python may give it
        width = min(shutil.get_terminal_size().columns, _WIDEST) - 2
        super().__init__(prog, max_help_position=_FLAG_COLUMNS, width=width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        wrapped = (part if "\n" in part else "\n".join(self._split_lines(part, width)) for part in paragraphs)
        return textwrap.indent("\n\n".join(wrapped), indent)

    def _split_lines(self, text: str, width: int) -> list[str]:
        """Return the lines of a paragraph. Quoted words, a default and a hyphenated flag stay on one line each."""
        glued = _UNBROKEN.sub(lambda match: match[0].replace(" ", _GLUE), text)
        return [line.replace(_GLUE, " ") for line in textwrap.wrap(glued, width, break_on_hyphens=False)]

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """Return flags and value as `-C, --working-directory DIR`, whatever the version of Python."""
        value = str(action.metavar or "")
        return " ".join(filter(None, (", ".join(action.option_strings), value)))


def _examples(examples: Examples) -> str:
    return "\n".join(["Examples:", *(f"  # {comment}\n  {command}" for comment, command in examples)])


def _commands(commands: Mapping[str, str]) -> str | None:
    """Return the list of commands; None if there are none."""
    width = max(map(len, commands), default=0)
    lines = [f"  {name:<{width}}  {meaning}" for name, meaning in commands.items()]
    return "\n".join(["Commands:", *lines]) if lines else None
