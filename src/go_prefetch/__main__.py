"""The one door through which arguments and environment come in."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and end with its status."""
    try:
        from go_prefetch import cli, tempfolder  # noqa: PLC0415 - it takes a while, and Ctrl-C may come meanwhile

        tempfolder.choose_place(os.environ)
        status = cli.main(sys.argv[1:], dict(os.environ), sys.stdout, sys.stderr)
        if status == cli.NOBODY_READS or not _written():
            _forget_output()
    except KeyboardInterrupt:
        status = 130
    except OSError:  # not even the error could be written
        _forget_output()
        status = 1
    sys.exit(status)


def _written() -> bool:
    """Whether all output has left this process; a full disk takes none of it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return False
    return True


def _forget_output() -> None:
    """What is still to be written would be complained of when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


if __name__ == "__main__":
    main()
