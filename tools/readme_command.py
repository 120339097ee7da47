"""Print a command block of README.md, so that CI runs what readers are told to run.

python3 tools/readme_command.py test
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def command(name: str) -> str:
    """Return the shell block after `<!-- command: NAME -->`."""
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    block = re.search(rf"<!-- command: {re.escape(name)} -->\n```sh\n(.*?)```", readme, re.DOTALL)
    if block is None:
        sys.exit(f"README.md has no command {name!r}")
    return block[1]


if __name__ == "__main__":
    print(command(sys.argv[1]), end="")
