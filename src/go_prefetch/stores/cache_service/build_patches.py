"""New outputs compressed against similar ones that an entry below has, so that a delta takes a fraction of the bytes.

Go compiles a package again if anything that it imports has changed, and most bytes of the result stay the same. So an
output that is new and one that is not used any more are often two versions of one package. They have about the same
size, which is all that is compared here: a wrong guess costs bytes, and nothing else.

A patch is an archive of its own, whose zstd stream begins where another file ends: that of the old outputs, one after
the other (`zstd --patch-from`). The checksum of the stream is that of the new outputs. It does not match if an old
output has other bytes than when the patch was made.

No old output is in a patch itself. If it were, a job would have to unpack all versions that there have been.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from go_prefetch.golang.build_cache import Output
from go_prefetch.stores.cache_service.archive import Outgoing, copy_file, write_members
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding

# Bytes of all new outputs in a patch, and of all old ones. Both sides keep both in memory.
_MOST_BYTES = 48 << 20
_LEAST_BYTES = 64  # of an output: a smaller one gains nothing, and a prefix must not be empty
_MOST_TIMES = 2  # that the larger of two similar outputs is larger


@dataclass(frozen=True)
class Old:
    """An output that an entry below has."""

    id: str
    path: Path
    bytes: int


@dataclass(frozen=True)
class Patch:
    """New outputs, and the old one of each."""

    new: tuple[Output, ...]
    old: tuple[Old, ...]

    @property
    def ids(self) -> tuple[tuple[str, str], ...]:
        """Return the ids of each new output and its old one."""
        return tuple((new.name.id, old.id) for new, old in zip(self.new, self.old, strict=True))


def pairs(new: Iterable[Output], old: Iterable[Output]) -> Iterator[tuple[Output, Output]]:
    """Pair new outputs with old ones of similar size, each at most once; the largest first."""
    left = sorted((one.bytes, one.name.id, one) for one in old)
    for one in sorted(new, key=lambda one: (-one.bytes, one.name)):
        place = bisect_left(left, (one.bytes,))
        near = range(max(place - 1, 0), min(place + 1, len(left)))
        nearest = min(near, key=lambda at: abs(left[at][0] - one.bytes), default=None)
        if nearest is not None and _are_similar(one, left[nearest][-1]):
            yield one, left.pop(nearest)[-1]


def patches(similar: Iterable[tuple[Output, Old]]) -> tuple[Patch, ...]:
    """Return patches with these pairs, without those that are too large or too small."""
    found, part, new_bytes, old_bytes = [], list[tuple[Output, Old]](), 0, 0
    for new, old in similar:
        if min(new.bytes, old.bytes) >= _LEAST_BYTES and max(new.bytes, old.bytes) <= _MOST_BYTES:
            new_bytes, old_bytes = new_bytes + new.bytes, old_bytes + old.bytes
            if max(new_bytes, old_bytes) > _MOST_BYTES:
                found.append(_patch(part))
                part, new_bytes, old_bytes = [], new.bytes, old.bytes
            part.append((new, old))
    return (*found, _patch(part)) if part else ()


def _are_similar(one: Output, other: Output) -> bool:
    return max(one.bytes, other.bytes) <= _MOST_TIMES * min(one.bytes, other.bytes)


def _patch(part: Sequence[tuple[Output, Old]]) -> Patch:
    return Patch(tuple(new for new, _ in part), tuple(old for _, old in part))


def write_patch(path: Path, gocache: Path, patch: Patch, encoding: Encoding) -> None:
    """Write a patch to a new file. Raises OSError, and ArchiveError for an output that is no longer what it was."""
    prefix = joined(path, [one.path for one in patch.old])
    outgoing = [Outgoing(one.name.path, one.bytes, partial(copy_file, gocache / one.name.path)) for one in patch.new]
    with path.open("xb") as out:
        write_members(out, outgoing, prefixed(encoding, prefix))
    prefix.unlink()


def joined(patch: Path, old: Iterable[Path]) -> Path:
    """Write old outputs to one new file next to a patch, and return it. Raises ArchiveError if they are too large."""
    prefix = patch.with_suffix(".prefix")
    with prefix.open("xb") as out:
        for path in old:
            if out.tell() + path.stat().st_size > _MOST_BYTES:
                raise ArchiveError("the old outputs of a patch are too large")
            copy_file(path, out)
    return prefix


def prefixed(encoding: Encoding, prefix: Path) -> Encoding:
    """Return the encoding of a patch. Raises ArchiveError if it has none."""
    if encoding.against is None:
        raise ArchiveError("its encoding has no patches")
    return encoding.against(prefix)
