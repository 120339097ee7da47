"""Run one command: signals, one catcher of errors, the exit status."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import TextIO

from go_prefetch.base import run_file
from go_prefetch.base.stop_signals import STOP_SIGNALS
from go_prefetch.cli.arguments import parse, texts_of, variable_typos
from go_prefetch.cli.invocation import Invocation
from go_prefetch.cli.known_secrets import known_secrets
from go_prefetch.cli.subcommands import SUBCOMMANDS
from go_prefetch.errors import PrefetchError, notice
from go_prefetch.model.ports import Platform
from go_prefetch.platforms import detect

_INTERRUPTED = 130
BROKEN_PIPE = 141  # as shells report a program that SIGPIPE ended


def main(argv: Sequence[str], environ: Mapping[str, str], stdout: TextIO, stderr: TextIO) -> int:
    """Run one command and return its exit status."""
    platform: Platform = detect(environ, stdout, stderr)
    _raise_on_signals()
    fills = False
    try:
        secrets = known_secrets(environ, argv)
        platform.hide(secrets)
        arguments = parse(argv, stdout)
        subcommand = SUBCOMMANDS[arguments.command]
        fills = subcommand.fills
        platform = detect(environ, stdout, stderr, quiet=arguments.quiet, verbose=arguments.verbose)
        platform.hide(secrets)
        for name, right in variable_typos(environ):
            platform.warn(notice("unknown-variable", name=name, meant=right))
        invocation = Invocation(arguments, texts_of(arguments), platform, environ, stdout)
        status = subcommand.call(invocation)
        stdout.flush()  # here, where its errors are caught
        return status
    except PrefetchError as error:
        platform.error(error.notice)
        return error.exit_status
    except KeyboardInterrupt:
        return _interrupted(platform, fills=fills)
    except BrokenPipeError:  # the reader, such as `head`, has ended
        return BROKEN_PIPE
    except OSError as error:  # such as a full disk under the output; other errors are caught before
        platform.error(notice("system-error", what=error.filename or "the output", words=error.strerror or str(error)))
        return 1
    except Exception as error:  # noqa: BLE001 - Python would print it as it is, and it may quote a login
        return _unexpected(error, platform, fills=fills)
    finally:
        run_file.finish()


def _interrupted(platform: Platform, *, fills: bool) -> int:
    platform.error(notice("interrupted", "modules" if fills else ""))
    return _INTERRUPTED


def _unexpected(error: Exception, platform: Platform, *, fills: bool) -> int:
    if _is_of_an_interrupt(error):
        return _interrupted(platform, fills=fills)
    import traceback  # noqa: PLC0415 - no other run needs it

    words = "".join(traceback.format_exception(type(error), error, error.__traceback__)).strip()
    platform.error(notice("internal-error", words=words))
    return 1


def _is_of_an_interrupt(error: BaseException | None) -> bool:
    """Return whether an interrupt is behind it: Python before 3.12 wraps one that comes while it makes a class."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _raise_on_signals() -> None:
    """Raise KeyboardInterrupt at Ctrl-C and termination, once, so that unfinished files are removed before the exit."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in STOP_SIGNALS:
        signal.signal(each, interrupt)


if sys.platform == "win32":  # a console may lack a character: print `?` instead
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
