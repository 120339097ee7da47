"""Checks of the project: Go itself, go.mod, go.sum, vendor folders, workflow files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from go_prefetch.doctor.facts import Facts
from go_prefetch.doctor.finding import Evidence, seen

_MANY_LINES = 10
# The beginning of a line after its indent and dash.
_OURS = re.compile(r"uses:\s*['\"]?[\w./-]*go-prefetch|run:.*\bgo-prefetch\b|.*\bgo-prefetch run\b")
_SETUP_GO = re.compile(r"uses:\s*['\"]?actions/setup-go@(?P<ref>[\w.-]+)['\"]?\s*(?:#\s*(?P<note>\S+))?")
_IN_BRACES = r"(?:(?:with|env):\s*\{(?:.*[\s,])?)?"  # `with: { cache: false }` is one line
_NO_CACHE = re.compile(_IN_BRACES + r"(?:cache:\s*['\"]?false\b|GOMODCACHE:)")
_CACHE = re.compile(_IN_BRACES + r"cache:\s*['\"]?true\b")
_LONGEST_LINE, _LONGEST_STEP = 1_000, 200  # characters, lines


def no_go(facts: Facts) -> Iterator[Evidence]:
    """Find a missing Go, or one that does not work."""
    if facts.go_problem:
        yield seen(problem=facts.go_problem)


def no_plan(facts: Facts) -> Iterator[Evidence]:
    """Find a missing or malformed go.mod or go.sum."""
    if facts.plan_problem:
        yield seen(problem=facts.plan_problem)


def vendored(facts: Facts) -> Iterator[Evidence]:
    """Find a vendor folder that Go builds from."""
    for definition in facts.definitions:
        if definition.is_vendored:
            yield seen(folder=definition.path.parent)


def go_sum_missing(facts: Facts) -> Iterator[Evidence]:
    """Find requirements without a go.sum."""
    for definition in facts.definitions:
        if definition.requires and not definition.has_sums and not definition.is_vendored:
            yield seen(path=definition.path)


def go_sum_unused(facts: Facts) -> Iterator[Evidence]:
    """Find a go.sum that is mostly unused."""
    for definition in facts.definitions:
        unused = definition.sum_zips - definition.planned_zips
        # A tidy go.sum has up to two fifths more than Go needs.
        if unused >= _MANY_LINES and unused > definition.sum_zips / 2:
            yield seen(path=definition.path, unused=unused, zips=definition.sum_zips)


def toolchain_ahead(facts: Facts) -> Iterator[Evidence]:
    """Find a go.mod that requires a newer Go."""
    switch = facts.variables.get("GOTOOLCHAIN", "") or "auto"
    local = max(map(_numbers, (facts.variables.get("GOVERSION", ""), switch)))
    if not facts.variables.get("GOVERSION"):
        return
    for definition in facts.definitions:
        wanted = max((definition.go, definition.toolchain if "auto" in switch else ""), key=_numbers)
        if _numbers(wanted) <= local:
            continue
        case = "download" if "auto" in switch or "path" in switch else "refused"
        installed = facts.variables["GOVERSION"]
        yield seen(case, path=definition.path, wanted=wanted.removeprefix("go"), installed=installed, switch=switch)


def _numbers(version: str) -> tuple[int, int, int, int]:
    """Return `go1.22.3`, `1.22`, `1.22rc1` or `devel go1.27-abc` as comparable numbers; zeros for none."""
    match = re.search(r"([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?((?:rc|beta)[0-9]+)?", version)
    if not match:
        return (0, 0, 0, 0)
    # `go 1.21` in go.mod means the language, and any 1.21 release candidate is older than its releases.
    return (int(match[1]), int(match[2]), int(match[3] or 0), 0 if match[4] else 1)


def cache_doubled(facts: Facts) -> Iterator[Evidence]:
    """Find a setup-go step that caches modules too."""
    for name, text in sorted(facts.workflows.items()):
        for line in doubled_caches(text):
            yield seen(name=name, line=line)


def doubled_caches(text: str) -> list[int]:
    """Return the line numbers of setup-go steps that cache modules too.

    A workflow without go-prefetch has none. The standard library has no YAML reader, and none is needed: a step is the
    lines from its dash to the next one of the same depth. The time is in proportion to the length of the file.
    """
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


@dataclass(frozen=True)
class _Line:
    depth: int
    has_dash: bool
    words: str  # none in a comment


def _read(text: str) -> _Line:
    bare = text.lstrip()
    has_dash = bare[:1] == "-" and bare[1:2] in ("", " ", "\t")
    words = bare[1:].lstrip() if has_dash else bare
    return _Line(len(text) - len(bare), has_dash, "" if words.startswith("#") else words.rstrip())


def _start(lines: Sequence[_Line], at: int) -> int | None:
    """Return the first line of the step that has this line."""
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
    major = re.match("v([0-9]{1,9})", uses["ref"]) or re.match("v([0-9]{1,9})", uses["note"] or "")
    asked_for = any(_CACHE.match(line.words) for line in step)
    return asked_for or not major or int(major[1]) >= 4  # from v4 on it caches by default
