"""The one door through which arguments and environment come in."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and end with its status."""
    try:
        from go_prefetch import cli  # noqa: PLC0415 - it takes a while, and Ctrl-C may come meanwhile

        status = cli.main(sys.argv[1:], dict(os.environ), sys.stdout, sys.stderr)
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
