"""Parse the command line, and name what a mistyped command, flag or variable was meant to be."""

from __future__ import annotations

import argparse
import difflib
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn, TextIO

from go_prefetch import __version__
from go_prefetch.cli.subcommands import SUBCOMMANDS
from go_prefetch.config.inputs import BY_NAME, GITLAB, OTHER_VARIABLES, Input
from go_prefetch.errors import InputError

_PREFIX = "GO_PREFETCH_"
_CLOSE = 0.75  # similarity, from 0 to 1
_CLOSE_ON_COMMAND_LINE = 0.55  # lower: nothing there is meant for another program
_WIDTH = 79  # of help on a terminal of 80 columns
_NO_FLAGS = ("command", "folder")  # positional arguments

_DESCRIPTION = """\
Fill Go's module cache. Restore modules from a cache, and download the rest
with retries and fallbacks. Go verifies every module against go.sum."""

_EPILOG = """\
exit status:
  0    success, or nothing to do
  1    verify, doctor or docker found something, or the system or an API failed
  2    an input is invalid
  3    go.mod, go.work or go.sum cannot be read, or is malformed
  4    go is missing, too old, or failed
  5    a download failed, or a module does not match go.sum
  6    a gate of report was missed
  130  interrupted (141: the reader of the output is gone)

Every flag with a VALUE is also an environment variable, for example
GO_PREFETCH_STALL_TIMEOUT for --stall-timeout. A flag has precedence."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        command = re.match(r"argument COMMAND: invalid choice: '([^']+)'", message)  # else argparse's own text
        right = closest(command[1], SUBCOMMANDS) if command else ""
        case = "did-you-mean" if right else ""
        raise InputError("usage", case, program=self.prog, words=message, meant=right)


def parse(argv: Sequence[str], stdout: TextIO) -> argparse.Namespace:
    """Return the command and its flags. Raises InputError, and SystemExit after --help and --version."""
    try:
        arguments, unknown = _parser().parse_known_args(argv)
    except SystemExit:
        stdout.flush()
        raise
    if unknown:
        raise _unknown(arguments, unknown)
    return arguments


def _unknown(arguments: argparse.Namespace, unknown: Sequence[str]) -> InputError:
    """Return the error for arguments that argparse does not know."""
    program = f"go-prefetch {arguments.command}"
    given = next((text for text in unknown if text.startswith("-")), unknown[0]).partition("=")[0]
    flags = [f"--{name.replace('_', '-')}" for name in vars(arguments) if name not in _NO_FLAGS]
    right = ""
    if not given.startswith("-"):
        case = "argument-folder" if "--working-directory" in flags else "argument"
    elif given in flags:
        case = "flag-before-command"
    elif given.removeprefix("--") in BY_NAME:
        case = "flag-without-effect"
    else:
        right = closest(given, flags)
        case = "flag-meant" if right else "flag"
    return InputError("usage", case, program=program, given=given, meant=right)


def texts_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the inputs of the command as its flags have them, by name."""
    names = [row.name for row in SUBCOMMANDS[arguments.command].table]
    return {name: _text(getattr(arguments, name.replace("-", "_"))) for name in names}


def _text(given: str | list[str] | None) -> str:
    return "\n".join(given) if isinstance(given, list) else given or ""


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="go-prefetch", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=style, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"go-prefetch {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, row in SUBCOMMANDS.items():
        command = commands.add_parser(
            name,
            help=row.meaning,
            description=textwrap.fill(f"{row.meaning[0].upper()}{row.meaning[1:]}.", _WIDTH),
            epilog=f"examples:\n  {row.examples}\n\n{_EPILOG}",
            formatter_class=style,
            allow_abbrev=False,
        )
        row.own_flags(command)
        _add_inputs(command, row.table)
        command.add_argument("--quiet", "-q", action="store_true", help="print only warnings, errors and the result")
        command.add_argument("--verbose", "-v", action="store_true", help="print what Go does, line by line")
    return parser


def _add_inputs(command: argparse.ArgumentParser, table: Sequence[Input]) -> None:
    for row in table:
        default = row.default_shown or row.default
        command.add_argument(
            row.flag,
            metavar="VALUE",
            action="append" if row.is_repeatable else "store",
            nargs="?" if row.is_switch else None,
            const="true" if row.is_switch else None,
            help=textwrap.shorten(f"{row.meaning} (default: {default})", 1000).replace("%", "%%"),
        )


def variable_typos(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each variable that nothing reads and that resembles one of an input, with that of the input."""
    inputs = {row.variable for subcommand in SUBCOMMANDS.values() for row in subcommand.table}
    right = inputs | {row.variable for row in GITLAB}
    known = right | OTHER_VARIABLES
    found = []
    for name in sorted(environ):
        given = _letters(name)
        if name in known or not environ[name] or not given.startswith(_letters(_PREFIX)):
            continue
        meant = closest(given.removeprefix(_letters(_PREFIX)), sorted(right), _CLOSE)
        found += [(name, meant)] if meant else []
    return found


def closest(given: str, names: Iterable[str], share: float = _CLOSE_ON_COMMAND_LINE) -> str:
    """Return the name that most resembles `given`, a command, a flag or a variable without its prefix; else empty."""
    letters = {_letters(name.removeprefix(_PREFIX)): name for name in names}
    close = difflib.get_close_matches(_letters(given), letters, 1, share)
    return letters[close[0]] if close else ""


def _letters(name: str) -> str:
    """Drop what is often mistyped: underscores, dashes, capitals."""
    return re.sub("[^a-z0-9]", "", name.lower())
