"""What a command imports, from `python -X importtime`, and what it must not import without need."""

from __future__ import annotations

# Each takes some milliseconds, and all together as long as the rest of a run with nothing to do.
HEAVY = frozenset(
    {
        "asyncio", "ctypes", "difflib", "email", "ftplib", "github", "http.client", "obstore", "requests", "secrets",
        "socket", "ssl", "tarfile", "unittest", "urllib.request", "urllib3", "xml", "zstandard",
    }
)  # fmt: skip


def imported_modules(importtime: str) -> set[str]:
    """Return the modules that it lists on stderr."""
    return {line.rpartition("|")[2].strip() for line in importtime.splitlines() if line.startswith("import time:")}
