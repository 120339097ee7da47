"""New outputs compressed against similar ones that an entry below has, so that a delta takes a fraction of the bytes.

Go compiles a package again if anything that it imports has changed, and most bytes of the result stay the same. So an
output that is new and one that is not used any more are often two versions of one package. They have about the same
size, which is all that is compared here. A wrong guess costs bytes, or a compilation.

A patch is an archive of its own, whose zstd stream begins where another file ends: that of the old outputs, one after
the other (`zstd --patch-from`). The checksum of the stream is that of the new outputs. It does not match if an old
output has other bytes than when the patch was made, and nothing else shows that. So actions follow after the checksum.

No old output is in a patch itself. If it were, a job would have to unpack all versions that there have been.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.retry import Deadline
from go_prefetch.buildcache.intake import BuildIntake
from go_prefetch.golang.build_cache import MOST_OUTPUT_BYTES, Output, OutputName, parse_output_name
from go_prefetch.stores.cache_service.archive import Outgoing, copy_file, read_members, write_members
from go_prefetch.stores.cache_service.compression import ArchiveError, Encoding
from go_prefetch.stores.cache_service.manifest import Manifest

# Bytes of all new outputs in a patch, and of all old ones. Both sides keep both in memory.
_MOST_BYTES = 48 << 20
MOST_PATCH_BYTES = 64 << 20  # that does not compress at all
_MOST_PAIRS = 10_000
_LEAST_BYTES = 64  # of an output: a smaller one gains nothing, and a prefix must not be empty
_MOST_TIMES = 1.5  # that the larger of two similar outputs is larger


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
            if max(new_bytes, old_bytes) > _MOST_BYTES or len(part) == _MOST_PAIRS:
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
    outgoing = [Outgoing(one.name.path, one.bytes, partial(copy_file, gocache / one.name.path)) for one in patch.new]
    with path.open("xb") as out, _prefixed(path, [one.path for one in patch.old], encoding) as with_prefix:
        write_members(out, outgoing, with_prefix)


def read_patch(path: Path, old: Sequence[Path], intake: PatchIntake, encoding: Encoding, deadline: Deadline) -> None:
    """Put the outputs of a patch into GOCACHE, and finish them once its checksum was right.

    Raises ArchiveError, OSError, StoreError (`store-slow`).
    """
    with path.open("rb") as source, _prefixed(path, old, encoding) as with_prefix:
        read_members(source, with_prefix, intake, deadline, most_output_bytes)
    intake.finish()


class PatchIntake:
    """Takes outputs from a patch, first into `folder`, on the disk of GOCACHE. `lacking` are their bytes, by id."""

    needs_all = True

    def __init__(self, intake: BuildIntake, folder: Path, lacking: Mapping[str, int]) -> None:
        self._intake = intake
        self._folder = folder
        self._lacking = lacking
        self._put: list[OutputName] = []

    def choose(self, manifest: Manifest) -> frozenset[str]:
        """See Intake."""
        return frozenset(
            one.name
            for one in manifest.members
            if self._lacking.get(output_of(one.name).id) == one.bytes
            and self._intake.accepts(output_of(one.name), one.bytes)
        )

    def take(self, name: str, copy: Callable[[BinaryIO], None]) -> None:
        """See Intake."""
        output = output_of(name)
        self._intake.write(self._folder / output.id, output, copy)
        self._put.append(output)

    def finish(self) -> None:
        """Give these outputs their names, and let their actions follow."""
        for output in self._put:
            self._intake.place(self._folder / output.id, output, self._lacking[output.id])


def most_output_bytes(name: str) -> int:
    """Return the maximum bytes of an output. Raises ValueError for a name that is not of Go's."""
    if parse_output_name(name) is None:
        raise ValueError(name)
    return MOST_OUTPUT_BYTES


def output_of(path: str) -> OutputName:
    """Return the output with this path in GOCACHE. Raises ArchiveError."""
    name = parse_output_name(path)
    if name is None:
        raise ArchiveError(f"{path!r:.200} is no file of Go's build cache")
    return name


@contextmanager
def _prefixed(patch: Path, old: Iterable[Path], encoding: Encoding) -> Iterator[Encoding]:
    """Write old outputs to a file next to a patch, and yield the encoding with that as its prefix."""
    if encoding.against is None:
        raise ArchiveError("its encoding has no patches")
    prefix = patch.with_suffix(".prefix")
    try:
        with prefix.open("xb") as out:
            for path in old:
                if out.tell() + path.stat().st_size > _MOST_BYTES:
                    raise ArchiveError("the old outputs of a patch are too large")
                copy_file(path, out)
            if out.tell() < _LEAST_BYTES:
                raise ArchiveError("the old outputs of a patch are too small")
        yield encoding.against(prefix)
    finally:
        prefix.unlink(missing_ok=True)
