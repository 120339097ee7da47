"""The one door through which bytes from outside get the name of a module file: only with the structure it promises.

This catches error pages, truncated and mistaken files early and by source. It is no check of content: that is Go's.
"""

from __future__ import annotations

import errno
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from go_prefetch.atomicfile import written_beside
from go_prefetch.modcache import MAX_BYTES, ModuleFile, accepted_by_go, forget_ziphash, is_module_cache, path_in
from go_prefetch.module import ModuleVersion

# What zipfile raises for bytes that are no zip, or none that it can read.
_BAD_ZIP = (
    zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError, OverflowError,
)  # fmt: skip
# Bytes of a zip's directory, which takes many times as much in memory; that of 100,000 files has about 16 MB.
_MOST_DIRECTORY = 16 << 20
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_MODULE_LINE = re.compile(rb"^[ \t]*module[ \t\r\n(]", re.MULTILINE)


class StructureError(Exception):
    """The bytes that came cannot be the file that was asked for."""


@contextmanager
def received(folder: Path, file: ModuleFile, before_naming: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """A path to write `file` to; checked and renamed into `folder` (GOPROXY layout) on leaving, or removed.

    Removed too if that is a module cache and a go command has brought the zip meanwhile.

    Raises StructureError if the bytes cannot be that file, OSError as the file system does, and whatever
    `before_naming` raises, which is called once they have been checked.
    """
    with suppress(_HadMeanwhileError), written_beside(path_in(folder, file)) as beside:
        yield beside
        problem = structure_problem(file, beside)
        if problem:
            raise StructureError(problem)
        before_naming()
        if file.kind == "info":
            trimmed = trimmed_info(file.module, beside.read_bytes()) or b""
            beside.unlink()  # it may be a hard link: never write through it
            beside.write_bytes(trimmed)
        if file.kind == "zip" and is_module_cache(folder) and accepted_by_go(folder, file.module):
            raise _HadMeanwhileError
        forget_ziphash(folder, file)


class _HadMeanwhileError(Exception):
    """A go command has brought this zip and found it good: exchanged now, it might be unpacked unseen."""


def structure_problem(file: ModuleFile, path: Path) -> str:
    """Why the bytes at `path` cannot be `file`; the empty string if they can. Raises OSError if unreadable."""
    size = path.stat().st_size
    if size == 0:
        return "the file is empty"
    if size > MAX_BYTES[file.kind]:
        return f"{size} bytes are more than Go accepts"
    if file.kind == "zip":
        return _zip_problem(file.module, path)
    data = path.read_bytes()
    if file.kind == "mod":
        return "" if _MODULE_LINE.search(data) else "it has no module line"
    return "" if trimmed_info(file.module, data) else "it is not the JSON of a version's .info"


def content_problem(file: ModuleFile, path: Path) -> str:
    """As structure_problem, and every byte of a zip is read: sizes and CRCs of its entries.

    A `.mod` is compared with the go.mod in the zip beside it, where there is one. Raises OSError if unreadable.
    """
    problem = structure_problem(file, path)
    if problem or file.kind == "info":
        return problem
    if file.kind == "zip":
        return _entries_read_problem(path)
    data = path.read_bytes()
    in_zip = _gomod_in_zip(file.module, path.with_suffix(".zip"))
    return "" if in_zip in (None, data) else "it is not the go.mod of its zip"


def _gomod_in_zip(version: ModuleVersion, path: Path) -> bytes | None:
    """The go.mod of a zip; None without one, and for a zip that cannot be read: that is not the go.mod's fault."""
    with suppress(KeyError, OSError, *_BAD_ZIP), _SmallReads(path) as source, zipfile.ZipFile(source) as archive:
        entry = archive.getinfo(f"{version}/go.mod")
        return archive.read(entry) if entry.file_size <= MAX_BYTES["mod"] else b""
    return None


def _entries_read_problem(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES["zip"]:
                return "it holds more than Go accepts"
            bad = archive.testzip()
    except _BAD_ZIP as error:
        return f"it cannot be read to its end ({error})"
    return f"{bad} in it is damaged" if bad else ""


class _SmallReads(io.FileIO):
    """A file of which nobody may read very much at once."""

    def read(self, size: int | None = -1, /) -> bytes | None:  # type: ignore[override]
        if size is not None and size > _MOST_DIRECTORY:
            raise zipfile.BadZipFile(f"its directory has {size} bytes")
        return super().read(-1 if size is None else size)


def _zip_problem(version: ModuleVersion, path: Path) -> str:
    """Reads the central directory only. https://go.dev/ref/mod#zip-files"""
    try:
        with _SmallReads(path) as source, zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
    except _BAD_ZIP as error:
        return f"not a zip file ({error})"
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return "not a zip file (its directory begins before the file)"  # Python 3.10 seeks there all the same
    return _entries_problem(version, entries)


def _entries_problem(version: ModuleVersion, entries: Sequence[zipfile.ZipInfo]) -> str:
    if not entries:
        return "the zip is empty"
    if any(entry.header_offset < 0 for entry in entries):
        return "not a zip file (its beginning is missing)"
    names = [entry.filename for entry in entries]
    prefix = f"{version}/"
    if not all(name.startswith(prefix) for name in names):
        return f"the zip holds files outside {prefix}"
    if len(set(names)) != len(names) or any("\n" in name for name in names):
        return "the zip names a file twice, or one with a newline"
    return ""


def trimmed_info(version: ModuleVersion, data: bytes) -> bytes | None:
    """A `.info` with its Version and Time only; None if `data` is not the `.info` of this version.

    Nothing in Go checks this file, so nothing in it but what Go needs is kept or passed on.
    """
    try:
        info = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(info, dict) or info.get("Version") != version.version:
        return None
    kept = {"Version": version.version}
    if _is_time(info.get("Time")):  # Go would not read a file with another
        kept["Time"] = info["Time"]
    return json.dumps(kept, separators=(",", ":")).encode()


def _is_time(text: object) -> bool:
    """Whether Go reads this as a time (RFC 3339)."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    try:
        return match is not None and bool(datetime.fromisoformat(match[1]))
    except ValueError:
        return False
