"""The one door through which arguments and environment come in."""

from __future__ import annotations

import gc
import os
import sys

_STDOUT, _STDERR = 1, 2
_INTERRUPTED = 130


def main() -> None:
    """Run the command line and end with its status."""
    gc.set_threshold(10_000)  # new objects; by default, every 700 are searched for garbage: 5 % of a plan
    _open_closed_streams()
    try:
        # They take a while, and Ctrl-C may come meanwhile.
        from go_prefetch.base.temporary_folder import choose_place  # noqa: PLC0415
        from go_prefetch.cli import main as command_line  # noqa: PLC0415

        choose_place(os.environ)
        status = command_line.main(sys.argv[1:], dict(os.environ), sys.stdout, sys.stderr)
        if status == command_line.BROKEN_PIPE or not _written():
            _forget_output()
    except KeyboardInterrupt:
        status = _INTERRUPTED
        _written()
    except OSError:  # not even the error could be written
        _forget_output()
        status = 1
    if status == _INTERRUPTED:
        # Python ends itself by SIGINT if the signal came within exec() of a text, as dataclasses have it while they are
        # imported, also if it was handled (CPython: unhandled_keyboard_interrupt).
        os._exit(status)
    sys.exit(status)


def _open_closed_streams() -> None:
    """Open the streams that the caller has closed. Otherwise, the next file that is opened takes their place."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(_STDOUT, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", closefd=False)


def _written() -> bool:
    """Whether all output has left this process; a full disk takes none of it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return False
    return True


def _forget_output() -> None:
    """Discard unwritten output, so that Python does not complain about it at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


if __name__ == "__main__":
    main()
