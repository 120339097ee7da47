"""The Dockerfiles that docs/docker.md shows."""

from __future__ import annotations

import re
from pathlib import Path

DOCKER = Path(__file__).parents[2] / "docs" / "docker.md"


def dockerfiles() -> list[str]:
    """Their texts, in order."""
    return re.findall(r"^```dockerfile\n(.*?)^```", DOCKER.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
