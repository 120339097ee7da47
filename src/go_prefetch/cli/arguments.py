"""Parse the command line, and name what a mistyped command, flag or variable was meant to be."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn, TextIO

from go_prefetch import PROJECT_URL, __version__
from go_prefetch.base.suggestions import closest
from go_prefetch.cli.help import HelpParser
from go_prefetch.cli.help_texts import EPILOG, HELP, PROGRAM, PROGRAM_EXAMPLES, SPELLINGS
from go_prefetch.cli.subcommands import SUBCOMMANDS
from go_prefetch.config.inputs import BY_NAME, GITLAB, JOB, OTHER_VARIABLES, STORE_LOGIN, Group, Input
from go_prefetch.errors import InputError

_PROGRAM = "go-prefetch"
_PREFIX = "GO_PREFETCH_"
_LIKENESS_OF_VARIABLES = 0.75  # from 0 to 1; higher than of flags, because a variable may be another program's
_MAIN_FLAGS = ("--version", "-V", "--help", "-h")
_COMMON_FLAGS = ("--quiet", "-q", "--verbose", "-v", "--help", "-h")
_FLAG = r"argument (?:-\w[,/] ?)?(?P<given>--[\w-]+)(?:/.*)?"
# What argparse says, and the case of `usage` that says it better.
_CASES = (
    (re.compile(r"the following arguments are required: (?P<given>COMMAND)"), "command-missing"),
    (re.compile(r"the following arguments are required: (?P<given>.+)"), "argument-missing"),
    (re.compile(r"argument \S+: invalid choice: (?P<given>.+?) \(choose .*", re.DOTALL), "command"),
    (re.compile(rf"{_FLAG}: expected one argument"), "value-missing"),
    (re.compile(rf"{_FLAG}: ignored explicit argument .*", re.DOTALL), "value-given"),
)


class _Parser(HelpParser):
    choices: Sequence[str] = ()  # what the argument chooses from

    def error(self, message: str) -> NoReturn:
        found = [
            (match["given"].strip("'\""), case) for pattern, case in _CASES if (match := pattern.fullmatch(message))
        ]
        given, case = found[0] if found else ("", "")
        meant = closest(given, self.choices) if case == "command" else ""
        case = "command-meant" if meant else case
        raise InputError("usage", case, program=self.prog, words=message, given=given, meant=meant)


def parse(argv: Sequence[str], stdout: TextIO) -> argparse.Namespace:
    """Return the command and its flags. Raises InputError, and SystemExit after --help and --version."""
    _check_first(argv)
    try:
        arguments, unknown = _parser().parse_known_args(_spelled_as_flags(argv))
    except SystemExit:
        stdout.flush()
        raise
    if unknown:
        raise _unknown(arguments, unknown)
    return arguments


def _check_first(argv: Sequence[str]) -> None:
    """Raise InputError for a flag before the command: argparse takes its value for the command."""
    given = argv[0].partition("=")[0] if argv else ""
    if not given.startswith("-") or given in _MAIN_FLAGS:
        return
    command = next((text for text in argv if text in SUBCOMMANDS), "COMMAND")
    known = given in _COMMON_FLAGS or any(given in _flags_of(name) for name in SUBCOMMANDS)
    meant = "" if known else closest(given, _MAIN_FLAGS)
    case = "flag-before-command" if known else "flag-meant" if meant else "flag"
    program = f"{_PROGRAM} {command}" if known else _PROGRAM
    raise InputError("usage", case, program=program, given=given, meant=meant)


def _spelled_as_flags(argv: Sequence[str]) -> Sequence[str]:
    """Return `help`, `help COMMAND` and `version` as the flags that they stand for."""
    if [*argv[:1]] == ["help"]:
        return [*(name for name in argv[1:] if name not in SPELLINGS), "--help"]
    return ["--version"] if [*argv[:1]] == ["version"] else argv


def _unknown(arguments: argparse.Namespace, unknown: Sequence[str]) -> InputError:
    """Return the error for arguments that argparse does not know."""
    program = f"{_PROGRAM} {arguments.command}"
    given = next((text for text in unknown if text.startswith("-")), unknown[0]).partition("=")[0]
    flags = [*_flags_of(arguments.command), *_COMMON_FLAGS]
    others = [name for name in SUBCOMMANDS if given in _flags_of(name)]
    right = ""
    if not given.startswith("-"):
        case = "argument-folder" if "--working-directory" in flags else "argument"
    elif given.removeprefix("--") in BY_NAME:
        case = "flag-without-effect"
    elif others:
        case = "flag-elsewhere"
    else:
        right = closest(given, flags)
        case = "flag-meant" if right else "flag"
    return InputError("usage", case, program=program, given=given, meant=right, others=tuple(others))


def texts_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the inputs of the command as its flags have them, by name."""
    return {row.name: _text(getattr(arguments, row.field)) for row in SUBCOMMANDS[arguments.command].inputs}


def _text(given: str | list[str] | None) -> str:
    return "\n".join(given) if isinstance(given, list) else given or ""


def _parser() -> _Parser:
    listed = {**{name: HELP[name].meaning for name in SUBCOMMANDS}, **SPELLINGS}
    parser = _Parser(_PROGRAM, "COMMAND [OPTIONS]", PROGRAM, PROGRAM_EXAMPLES, listed)
    parser.choices = [*listed]
    parser.epilog = EPILOG.format(url=f"{PROJECT_URL}#readme")
    options = parser.add_argument_group("Options")
    version = f"{_PROGRAM} {__version__}"
    options.add_argument("-V", "--version", action="version", version=version, help="Print the version.")
    options.add_argument("-h", "--help", action="help", help="Print this help.")
    commands = parser.add_subparsers(
        dest="command", required=True, prog=_PROGRAM, metavar="COMMAND", help=argparse.SUPPRESS
    )
    for name, row in SUBCOMMANDS.items():
        argument, text = row.argument, HELP[name]
        command = commands.add_parser(
            name,
            arguments=f"[OPTIONS] {argument.kind.metavar}" if argument else "[OPTIONS]",
            description=text.description,
            examples=text.examples,
        )
        if argument:
            group = command.add_argument_group("Arguments")
            command.choices = argument.kind.choices
            choices = argument.kind.choices or None
            group.add_argument(argument.field, metavar=argument.kind.metavar, choices=choices, help=_meaning(argument))
        _add_flags(command, row.table)
    return parser


def _add_flags(command: argparse.ArgumentParser, table: Sequence[Input]) -> None:
    for heading in Group:
        rows = [row for row in table if row.group is heading]
        if not rows and heading is not Group.OUTPUT:
            continue
        group = command.add_argument_group(heading.value)
        for row in rows:
            if row.is_switch:
                _add_switch(group, row)
            else:
                _add_flag(group, row)
    group.add_argument("-q", "--quiet", action="count", default=0, help="Print one line. -qq: only errors.")
    group.add_argument("-v", "--verbose", action="store_true", help="Print details, such as what Go does.")
    group.add_argument("-h", "--help", action="help", help="Print this help.")


def _add_flag(group: argparse._ArgumentGroup, row: Input) -> None:
    default = row.default_shown or row.default
    group.add_argument(
        *_flags(row),
        metavar=f"[{row.kind.metavar}]" if row.alone else row.kind.metavar,
        action="append" if row.is_repeatable else "store",
        nargs="?" if row.alone else None,
        const=row.alone or None,
        help=_meaning(row) + ("" if default == "none" else f" [default: {default}]"),
    )


def _add_switch(group: argparse._ArgumentGroup, row: Input) -> None:
    """Add `--NAME` and `--no-NAME`. Help lists the one that changes the default. `--NAME=false` is possible too."""
    without = row.default == "true"
    opposite = f"Do not {row.meaning[0].lower()}{row.meaning[1:]}"
    yes, no = argparse.SUPPRESS if without else _meaning(row), opposite if without else argparse.SUPPRESS
    group.add_argument(row.flag, metavar="", nargs="?", const="true", help=yes)
    group.add_argument(row.opposite, dest=row.field, action="store_const", const="false", help=no)


def _meaning(row: Input) -> str:
    return row.meaning.replace("%", "%%")


def _flags(row: Input) -> list[str]:
    return [*filter(None, (row.short, row.flag, row.opposite if row.is_switch else ""))]


def _flags_of(command: str) -> list[str]:
    return [flag for row in SUBCOMMANDS[command].table for flag in _flags(row)]


def variable_typos(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each variable that nothing reads and that resembles one of an input, with that of the input."""
    inputs = {row.variable for subcommand in SUBCOMMANDS.values() for row in subcommand.table if row.has_variable}
    right = {name.removeprefix(_PREFIX) for name in inputs | {row.variable for row in (*GITLAB, *JOB, STORE_LOGIN)}}
    known = {f"{_PREFIX}{name}" for name in right} | OTHER_VARIABLES
    prefix = re.compile("go[_-]?prefetch[_-]?", re.IGNORECASE)
    found = []
    for name in sorted(environ):
        start = prefix.match(name)
        if name in known or not environ[name] or not start:
            continue
        meant = closest(name[start.end() :], sorted(right), _LIKENESS_OF_VARIABLES)
        found += [(name, f"{_PREFIX}{meant}")] if meant else []
    return found
