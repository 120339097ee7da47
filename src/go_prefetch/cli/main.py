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
BROKEN_PIPE = 141  # as a shell tells of a program that SIGPIPE ended


def main(argv: Sequence[str], environ: Mapping[str, str], stdout: TextIO, stderr: TextIO) -> int:
    """Run one command and return its exit status."""
    platform: Platform = detect(environ, stdout, stderr)
    _raise_on_signals()
    try:
        secrets = known_secrets(environ, argv)
        platform.hide(secrets)
        arguments = parse(argv, stdout)
        platform = detect(environ, stdout, stderr, quiet=arguments.quiet, verbose=arguments.verbose)
        platform.hide(secrets)
        for name, right in variable_typos(environ):
            platform.warn(notice("unknown-variable", name=name, meant=right))
        invocation = Invocation(arguments, texts_of(arguments), platform, environ, stdout)
        status = SUBCOMMANDS[arguments.command].call(invocation)
        stdout.flush()  # here, where what is wrong with it is caught
        return status
    except PrefetchError as error:
        platform.error(error.notice)
        return error.exit_status
    except KeyboardInterrupt:
        platform.error(notice("interrupted"))
        return _INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        return BROKEN_PIPE
    except OSError as error:  # a full disk under our own output: all else has a better name by now
        platform.error(notice("system-error", what=error.filename or "the output", words=error.strerror or str(error)))
        return 1
    finally:
        run_file.finish()


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
