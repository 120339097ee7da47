"""Run one command: signals, one catcher of errors, the exit status."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import TextIO

from go_prefetch.base import run_file
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
        platform.error(notice("interrupted", "modules" if fills else ""))
        return _INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has ended
        return BROKEN_PIPE
    except OSError as error:  # such as a full disk under the output; other errors are caught before
        platform.error(notice("system-error", what=error.filename or "the output", words=error.strerror or str(error)))
        return 1
    except Exception:  # noqa: BLE001 - Python would print it as it is, and it may quote a login
        import traceback  # noqa: PLC0415 - no other run needs it

        platform.error(notice("internal-error", words=traceback.format_exc().strip()))
        return 1
    finally:
        run_file.finish()


def _raise_on_signals() -> None:
    """Raise KeyboardInterrupt at Ctrl-C and termination, once, so that unfinished files are removed before the exit."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for name in names:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    for name in names:
        signal.signal(name, interrupt)


if sys.platform == "win32":  # a console may lack a character: print `?` instead
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
