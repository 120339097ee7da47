"""Which entries of build results a job may use: those of its lineage. Their keys, and what a matched key says.

    go-prefetch-build-1-<16 hex of what changes compiled code>-<16 hex of the job>-<id>[.<id of each entry below>]-<run>

An entry that is full has one id. A delta has its own, then those of all entries that it adds to, the full one last. An
id is 16 hex digits of what the entry and those below it hold, so no id is there twice. `<run>` is
`<run id>.<attempt>`, as in the keys of module entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from go_prefetch.model.cache_key import hexadecimal

PREFIX = "go-prefetch-build-1"
MOST_BELOW = 15  # a longer chain would take longer to look up than to upload again
DIGITS = 16  # of each part of a key
_HEX = f"[0-9a-f]{{{DIGITS}}}"
_KEY = re.compile(
    rf"({PREFIX}-{_HEX}-{_HEX}-)({_HEX}(?:\.{_HEX}){{0,{MOST_BELOW}}})-[0-9]{{1,20}}\.[0-9]{{1,20}}", re.ASCII
)
_LINEAGE = re.compile(rf"{PREFIX}-{_HEX}-{_HEX}-", re.ASCII)


@dataclass(frozen=True)
class Lineage:
    """The prefixes of the keys that a job looks up: of its own entries, then of those of other jobs too."""

    own: str
    shared: str

    @classmethod
    def of(cls, compiled_by: Mapping[str, str], cache_name: str, job: str) -> Lineage:
        """Return the lineage of a job. `compiled_by` is what changes compiled code, by its names."""
        lines = [f"{name}={value}" for name, value in sorted(compiled_by.items())]
        text = "\n".join([cache_name, *lines])
        shared = f"{PREFIX}-{_digits(text)}-"
        return cls(f"{shared}{_digits(job)}-", shared)

    @classmethod
    def parsed(cls, own: str) -> Lineage | None:
        """Return the lineage whose own prefix this is, or None if it is none."""
        return cls(own, own[: -DIGITS - 1]) if _LINEAGE.fullmatch(own) else None


@dataclass(frozen=True)
class BuildEntryName:
    """The parts of a key."""

    key: str
    lineage: str  # the prefix of the keys of all entries of its job
    ids: tuple[str, ...]  # its own, then those of the entries below it, the full one last

    @property
    def is_delta(self) -> bool:
        """Return whether it adds to other entries."""
        return len(self.ids) > 1


def parse_build_key(key: str) -> BuildEntryName | None:
    """Parse the key of an entry of build results; return None if go-prefetch did not write it."""
    match = _KEY.fullmatch(key)
    ids = tuple(match[2].split(".")) if match else ()
    return BuildEntryName(key, match[1], ids) if match and len(set(ids)) == len(ids) else None


def new_key(lineage: str, content: Iterable[str], below: Iterable[str], run: str) -> str:
    """Return the key of a new entry with this content, any texts, and the ids of the entries below it."""
    ids = list(below)
    own = _digits("\n".join([*sorted(content), *ids]))
    return f"{lineage}{'.'.join([own, *ids])}-{run}"


def _digits(text: str) -> str:
    return hexadecimal(text)[:DIGITS]
