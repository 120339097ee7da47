"""setup-go steps of workflow files that cache modules which go-prefetch caches too. Pure.

There is no YAML reader in the standard library, and none is needed: a step is the lines from its dash to the next one
of the same depth. A file takes time in proportion to its length, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# What a line begins with, behind its indent and dash.
_OURS = re.compile(r"uses:\s*['\"]?[\w./-]*go-prefetch|run:.*\bgo-prefetch\b|.*\bgo-prefetch run\b")
_SETUP_GO = re.compile(r"uses:\s*['\"]?actions/setup-go@(?P<ref>[\w.-]+)['\"]?\s*(?:#\s*(?P<note>\S+))?")
_NO_CACHE = re.compile(r"cache:\s*['\"]?false\b|GOMODCACHE:")
_CACHE = re.compile(r"cache:\s*['\"]?true\b")
_LONGEST_LINE, _LONGEST_STEP = 1_000, 200  # characters, lines


@dataclass(frozen=True)
class _Line:
    depth: int
    has_dash: bool
    words: str  # none in a comment


def doubled_caches(text: str) -> list[int]:
    """Numbers of the lines where a setup-go step begins that caches modules too; none where we are not used."""
    lines = [_read(line[:_LONGEST_LINE]) for line in text.splitlines()]
    if not any(_OURS.match(line.words) for line in lines):
        return []
    found: dict[int, None] = {}
    for at, line in enumerate(lines):
        uses = _SETUP_GO.match(line.words)
        start = _start(lines, at) if uses else None
        if uses and start is not None and _caches_modules(uses, lines[start : _end(lines, start)]):
            found[start + 1] = None
    return list(found)


def _read(text: str) -> _Line:
    bare = text.lstrip()
    has_dash = bare[:1] == "-" and bare[1:2] in ("", " ", "\t")
    words = bare[1:].lstrip() if has_dash else bare
    return _Line(len(text) - len(bare), has_dash, "" if words.startswith("#") else words.rstrip())


def _start(lines: Sequence[_Line], at: int) -> int | None:
    """Where the step begins that this line is in."""
    if lines[at].has_dash:
        return at
    above = range(at - 1, max(-1, at - _LONGEST_STEP), -1)
    return next((n for n in above if lines[n].has_dash and lines[n].depth < lines[at].depth), None)


def _end(lines: Sequence[_Line], start: int) -> int:
    last = min(len(lines), start + _LONGEST_STEP)
    behind = (n for n in range(start + 1, last) if lines[n].words or lines[n].has_dash)
    return next((n for n in behind if lines[n].depth <= lines[start].depth), last)


def _caches_modules(uses: re.Match[str], step: Sequence[_Line]) -> bool:
    if any(_NO_CACHE.match(line.words) for line in step):
        return False
    major = re.match(r"v(\d+)", uses["ref"]) or re.match(r"v(\d+)", uses["note"] or "")
    asked_for = any(_CACHE.match(line.words) for line in step)
    return asked_for or not major or int(major[1]) >= 4  # from v4 on it caches unless told not to
