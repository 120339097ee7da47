"""The command line: flags from the input table, one catcher of errors, the only place that ends the program."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import textwrap
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import NoReturn, TextIO

from go_prefetch import __version__
from go_prefetch.base import run_file
from go_prefetch.cli.invocation import Invocation
from go_prefetch.cli.known_secrets import known_secrets
from go_prefetch.cli.subcommands import SUBCOMMANDS
from go_prefetch.config.inputs import BY_NAME, Input
from go_prefetch.config.suggestions import closest, misspelt
from go_prefetch.errors import InputError, PrefetchError, notice
from go_prefetch.model.ports import Platform
from go_prefetch.platforms.detect import detect

_INTERRUPTED = 130
_WIDTH = 79  # of help on a terminal of 80 columns
_NO_FLAGS = ("command", "folder")  # of what a parsed command line holds: given by their place
NOBODY_READS = 141  # as a shell tells of a program that SIGPIPE ended

_DESCRIPTION = """\
Put Go modules on disk: from a cache store, then from module proxies with
retries and fallbacks; Go verifies every one against go.sum."""

_EPILOG = """\
exit status:
  0    the modules are there (or there was nothing to do)
  1    verify, doctor or docker found something, or the system or an API failed
  2    an input is wrong
  3    go.mod, go.work or go.sum cannot be read, or is malformed
  4    go is missing, too old, or failed
  5    modules could not be downloaded, or one is not what go.sum says
  6    a gate of report was missed
  130  interrupted (141: nobody reads the output any more)

Every flag that takes a VALUE can also be given as an environment variable,
GO_PREFETCH_ and its name in capitals with underscores: --stall-timeout as
GO_PREFETCH_STALL_TIMEOUT. A flag wins."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        command = re.match(r"argument COMMAND: invalid choice: '([^']+)'", message)  # else the words as they are
        right = closest(command[1], SUBCOMMANDS) if command else ""
        case = "did-you-mean" if right else ""
        raise InputError("usage", case, program=self.prog, words=message, meant=right)


def main(argv: Sequence[str], environ: Mapping[str, str], stdout: TextIO, stderr: TextIO) -> int:
    """Run one command and return its exit status."""
    platform: Platform = detect(environ, stdout, stderr)
    _raise_on_signals()
    try:
        secrets = known_secrets(environ, argv)
        platform.hide(secrets)
        arguments = _arguments(argv, stdout)
        platform = detect(environ, stdout, stderr, quiet=arguments.quiet, verbose=arguments.verbose)
        platform.hide(secrets)
        subcommand = SUBCOMMANDS[arguments.command]
        _tell_misspelt(environ, platform)
        texts = {row.name: _flag_text(arguments, row.name) for row in subcommand.table}
        status = subcommand.call(Invocation(arguments, texts, platform, environ, stdout))
        stdout.flush()  # here, where what is wrong with it is caught
        return status
    except PrefetchError as error:
        platform.error(error.notice)
        return error.exit_status
    except KeyboardInterrupt:
        platform.error(notice("interrupted"))
        return _INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        return NOBODY_READS
    except OSError as error:  # a full disk under our own output: all else has a better name by now
        platform.error(notice("system-error", what=error.filename or "the output", words=error.strerror or str(error)))
        return 1
    finally:
        run_file.finish()


def _arguments(argv: Sequence[str], stdout: TextIO) -> argparse.Namespace:
    """Raises SystemExit where argparse has answered itself: --help, --version."""
    try:
        arguments, unknown = _parser().parse_known_args(argv)
    except SystemExit:
        stdout.flush()
        raise
    if unknown:
        raise _unknown(arguments, unknown)
    return arguments


def _unknown(arguments: argparse.Namespace, unknown: Sequence[str]) -> InputError:
    """The error for what argparse could not place: the command's help, which lists what there is, is named with it."""
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


def _tell_misspelt(environ: Mapping[str, str], platform: Platform) -> None:
    rows = [row for subcommand in SUBCOMMANDS.values() for row in subcommand.table]
    for name, right in misspelt(environ, rows):
        platform.warn(notice("unknown-variable", name=name, meant=right))


def _flag_text(arguments: argparse.Namespace, name: str) -> str:
    given = getattr(arguments, name.replace("-", "_"))
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


def _raise_on_signals() -> None:
    """Ctrl-C and termination end the run in order, once: what is half done is put away before the exit."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for name in names:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for name in names:
        signal.signal(name, interrupt)


if sys.platform == "win32":  # a console there may not take every character; better a `?` than a traceback
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
