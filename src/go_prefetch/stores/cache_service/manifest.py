"""The manifest of an archive: its files, the full entry that it adds to, and the measurements of them.

    {"format": 1, "full": KEY, "files": [{"name", "bytes"}, …],
     "runs": [see cold_run_note.py; its files by their places in `files`],
     "unavailable": [{"name", "asked", "until"}, …]}

It is untrusted: every text and number is checked before it is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from go_prefetch.base.untrusted_json import as_integer, as_number, as_text, parse_object, required
from go_prefetch.model.cold_runs import ColdRun
from go_prefetch.stores.cache_service.compression import ArchiveError
from go_prefetch.stores.cold_run_note import as_note, parse_note

_FORMAT = 1
_MOST_FILES = 100_000
MOST_RUNS = 1_000
_MOST_BYTES = 64 << 30


@dataclass(frozen=True)
class Member:
    """A file in the archive."""

    name: str  # as its kind has it: a module file in GOPROXY layout, a file of GOCACHE
    bytes: int


@dataclass(frozen=True)
class Unavailable:
    """A file for which every proxy of the list `proxies` answered 404 or 410; valid `until` (Unix time, seconds)."""

    name: str
    proxies: str
    until: float


@dataclass(frozen=True)
class Manifest:
    """The contents of an archive, and what is recorded about them."""

    members: tuple[Member, ...] = ()
    full: str = ""
    runs: tuple[ColdRun, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()

    @property
    def bytes(self) -> int:
        """Return the bytes of all files."""
        return sum(member.bytes for member in self.members)


NO_NOTES = Manifest()


def manifest_json(manifest: Manifest) -> bytes:
    """Return the manifest in the form that the archive has."""
    place = {member.name: number for number, member in enumerate(manifest.members)}
    values = {
        "format": _FORMAT,
        "full": manifest.full,
        "files": [{"name": member.name, "bytes": member.bytes} for member in manifest.members],
        "runs": [as_note(run, place.__getitem__) for run in manifest.runs],
        "unavailable": [{"name": n.name, "asked": n.proxies, "until": round(n.until)} for n in manifest.unavailable],
    }
    return json.dumps(values, separators=(",", ":")).encode()


def parse_manifest(data: bytes, most_bytes: Callable[[str], int]) -> Manifest:
    """Parse a manifest. Raises ArchiveError unless all of it is valid.

    `most_bytes` returns the maximum size of a file by its name, and raises ValueError for a name that may not be there.
    """
    try:
        values = required(parse_object(data, len(data)))
        if values["format"] != _FORMAT:
            raise ArchiveError(f"format {values['format']!r:.40} is not known")
        members = tuple(
            Member(_text(file["name"]), _integer(file["bytes"], most_bytes(file["name"]))) for file in values["files"]
        )
        names = [member.name for member in members]
        if len(set(names)) != len(names) or len(names) > _MOST_FILES:
            raise ArchiveError("the manifest names a file twice, or too many")
        if len(values["runs"]) > MOST_RUNS:
            raise ArchiveError("the manifest tells of too many runs")
        manifest = Manifest(
            members,
            _text(values["full"]),
            tuple(filter(None, (_run(run, names) for run in values["runs"]))),
            tuple(
                Unavailable(_text(note["name"]), _text(note["asked"]), _number(note["until"], 1e12))
                for note in values["unavailable"]
            ),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ArchiveError(f"the manifest makes no sense ({type(error).__name__})") from None
    if manifest.bytes > _MOST_BYTES:
        raise ArchiveError("the manifest announces more than any cache holds")
    return manifest


def _run(values: Any, names: Sequence[str]) -> ColdRun | None:
    return parse_note(values, lambda place: names[_integer(place, len(names) - 1)])


def _text(value: object) -> str:
    text = required(as_text(value, 10_000))
    if text != value:  # a lone surrogate was replaced
        raise ValueError(value)
    return text


def _integer(value: object, most: int) -> int:
    return required(as_integer(value, most))


def _number(value: object, most: float) -> float:
    return required(as_number(value, 0.0, most))
