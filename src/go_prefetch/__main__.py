"""The one door through which arguments and environment come in."""

from __future__ import annotations

import os
import sys

from go_prefetch import cli


def main() -> None:
    """Run the command line and end with its status."""
    sys.exit(cli.main(sys.argv[1:], dict(os.environ), sys.stdout, sys.stderr))


if __name__ == "__main__":
    main()
