"""Print the shell functions of the GitLab template, so that they can be checked and tried outside a pipeline.

python3 tools/template_script.py
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path


def template_script() -> str:
    """Return the block that defines `go_prefetch_load`, as the runner's shell gets it."""
    text = (Path(__file__).parents[1] / "templates" / "go-prefetch.yml").read_text()
    block = re.search(r"^  script: &code\n    - \|\n((?:      .*\n|\n)+)", text, re.MULTILINE)
    assert block, "the template has no script &code"
    return textwrap.dedent(block[1])


if __name__ == "__main__":
    print(template_script(), end="")
