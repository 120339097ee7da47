"""Entries of the build cache in a folder: their keys, saved and read without Go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.model.build_lineage import PREFIX
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.entry_folder import folder_connection
from go_prefetch.stores.cache_service.reading import Connection

TOOLCHAIN = f"{PREFIX}-{'1' * 16}-"
LINEAGE = f"{TOOLCHAIN}{'2' * 16}-"
OTHER_JOB = f"{TOOLCHAIN}{'3' * 16}-"
ENCODING = "zstd-1"
NO_LIMIT = Deadline()


def build_id(number: int) -> str:
    """Return the id of an entry."""
    return f"{number:016x}"


def build_key(*numbers: int, lineage: str = LINEAGE, run: str = "7.1") -> str:
    """Return the key of an entry: the number of its own id first, then those of the entries below."""
    return f"{lineage}{'.'.join(map(build_id, numbers))}-{run}"


def save_entry(pool: Path, key: str, content: bytes = b"content", *, is_shared: bool = True) -> None:
    """Save an entry as a run does. Raises StoreError, NotAllowed."""
    service = folder_connection(pool, ENCODING, is_shared=is_shared).service
    with uploading(lambda: service.reserve(key, NO_LIMIT), NO_LIMIT) as out:
        out.write(content)


def found_key(pool: Path, *prefixes: str) -> str | None:
    """Return the key that a look-up finds."""
    found = folder_connection(pool, ENCODING).service.look_up(prefixes, NO_LIMIT)
    return found.key if found else None


def read_entry(pool: Path, key: str) -> bytes:
    """Read an entry as a run does. Raises StoreError."""
    return content_of(folder_connection(pool, ENCODING), key)


def content_of(connection: Connection, key: str, deadline: Deadline = NO_LIMIT) -> bytes:
    """Read the entry of this key. Raises StoreError."""
    found = connection.service.look_up([key], NO_LIMIT)
    assert found is not None
    content = b""
    with connection.open(found.url, lambda: "", deadline, 1) as stream:
        while piece := stream.read(700):
            content += piece
        assert stream.received == len(content)
    return content


def saved_numbers(pool: Path) -> list[int]:
    """Return the numbers of the entries in a pool."""
    return sorted(int(path.name[len(LINEAGE) :][:16], 16) for path in entry_paths(pool))


def entry_paths(pool: Path) -> list[Path]:
    """Return the files of the entries in a pool."""
    return sorted((pool / ".go-prefetch" / "entries").glob(f"*.{ENCODING}"))


def entry_path(pool: Path, number: int) -> Path:
    """Return the file of one entry."""
    (path,) = [path for path in entry_paths(pool) if path.name[len(LINEAGE) :].startswith(build_id(number))]
    return path


def make_older(pool: Path, hours: float, numbers: Sequence[int] = ()) -> None:
    """Put the times of entries back, of all of them if there are no numbers."""
    for path in [entry_path(pool, number) for number in numbers] or entry_paths(pool):
        status = path.stat()
        back = int(hours * 3600 * 10**9)
        os.utime(path, ns=(status.st_atime_ns - back, status.st_mtime_ns - back))
