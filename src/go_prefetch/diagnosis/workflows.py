"""setup-go steps of workflow files that cache modules which go-prefetch caches too. Pure.

There is no YAML reader in the standard library, and none is needed: a step is the lines from its dash to the next one
of the same depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OURS = re.compile(
    r"^\s*(?:-\s+)?(?:uses:\s*['\"]?[\w./-]*go-prefetch|run:.*\bgo-prefetch\b|.*\bgo-prefetch run\b)", re.MULTILINE
)
_SETUP_GO = re.compile(
    r"^\s*(?:-\s+)?uses:\s*['\"]?actions/setup-go@(?P<ref>[\w.-]+)['\"]?\s*(?:#\s*(?P<note>\S+))?", re.MULTILINE
)
_DASH = re.compile(r"^(?P<indent>\s*)-\s")
_NO_CACHE = re.compile(r"^\s*cache:\s*['\"]?false\b", re.MULTILINE)
_CACHE = re.compile(r"^\s*cache:\s*['\"]?true\b", re.MULTILINE)
_ELSEWHERE = re.compile(r"^\s*GOMODCACHE:", re.MULTILINE)


def doubled_caches(text: str) -> list[int]:
    """Numbers of the lines where a setup-go step begins that caches modules too; none where we are not used."""
    uncommented = "\n".join("" if line.lstrip().startswith("#") else line for line in text.splitlines())
    if not _OURS.search(uncommented):
        return []
    return [number for number, step in _steps(uncommented) if _caches_modules(step)]


def _steps(text: str) -> Iterator[tuple[int, str]]:
    lines = text.splitlines()
    for number, line in enumerate(lines):
        dash = _DASH.match(line)
        if dash:
            depth = len(dash["indent"])
            end = next((at for at in range(number + 1, len(lines)) if _ends(lines[at], depth)), len(lines))
            yield number + 1, "\n".join(lines[number:end])


def _ends(line: str, depth: int) -> bool:
    return bool(line.strip()) and len(line) - len(line.lstrip()) <= depth


def _caches_modules(step: str) -> bool:
    uses = _SETUP_GO.search(step)
    # A step in a step: the outer list item is a job or a matrix, and its steps come on their own.
    if not uses or len(_SETUP_GO.findall(step)) > 1 or _NO_CACHE.search(step) or _ELSEWHERE.search(step):
        return False
    major = re.match(r"v(\d+)", uses["ref"]) or re.match(r"v(\d+)", uses["note"] or "")
    asked_for = bool(_CACHE.search(step))
    return asked_for or not major or int(major[1]) >= 4  # from v4 on it caches unless told not to
