"""The only way for untrusted bytes to get the name of a module file: they must have the structure of that kind.

This finds error pages and truncated or mistaken files early, and names their source. Go checks the content.
"""

from __future__ import annotations

import errno
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import file_lock
from go_prefetch.base.atomic_file import new_file
from go_prefetch.base.nofollow import Folder
from go_prefetch.base.run_file import recording
from go_prefetch.base.untrusted_json import parse_object
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.modfiles.zip_inspect import UNREADABLE, read_zip

# Seconds to wait for Go's lock of a version. Another run holds it briefly; a go command holds it while it downloads.
_LOCK_SECONDS = 0.5
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_MODULE_LINE = re.compile(rb"^[ \t]*module[ \t\r\n(]", re.MULTILINE)


class StructureError(Exception):
    """The received bytes cannot be the requested file."""


class InUseError(Exception):
    """Another go command works on this version, so its file is not replaced."""

    def __init__(self) -> None:
        super().__init__("another go command is at work on this module")


@contextmanager
def received(
    folder: ModuleFolder, file: ModuleFile, before_naming: Callable[[], None] = lambda: None
) -> Iterator[BinaryIO]:
    """Create a new file for `file`. At the end it is checked and renamed into `folder`, or removed.

    In a module cache, a zip gets its name under Go's own lock of that version, and an older `.ziphash` is removed. The
    new zip is removed instead if a go command has accepted another zip in the meantime. Go may be about to unpack that
    one, and would not check it again.

    Raises StructureError if the bytes cannot be that file, InUseError if Go's lock is not free, OSError as the file
    system does, and what `before_naming` raises, which is called after the check.
    """

    def settle(here: Folder, content: BinaryIO) -> None:
        problem = structure_problem(file, content)
        if problem:
            raise StructureError(problem)
        before_naming()
        if file.kind == "info":
            _trim(file, content)
        if file.kind == "zip":
            _forget_older(here, file, locks if folder.is_module_cache else None)

    with (
        ExitStack() as locks,
        suppress(_AlreadyThereError),
        recording(folder.path) as record,
        new_file(folder.path, folder.name_of(file), record=record, before_rename=settle) as content,
    ):
        yield content


class _AlreadyThereError(Exception):
    """A go command has downloaded and accepted this zip."""


def _trim(file: ModuleFile, content: BinaryIO) -> None:
    trimmed = trimmed_info(file.module, _contents(file, content)) or b""
    content.seek(0)
    content.truncate()
    content.write(trimmed)
    content.flush()


def _forget_older(here: Folder, file: ModuleFile, locks: ExitStack | None) -> None:
    """In a module cache, remove the `.ziphash` of a zip that is about to be replaced, with its lock in `locks`."""
    stem = file.name.rpartition("/")[2].removesuffix(".zip")
    if locks is not None:
        lock = file_lock.held(here.at(f"{stem}.lock"), seconds=_LOCK_SECONDS, dir_fd=here.descriptor)
        try:
            locks.enter_context(lock)
        except OSError:
            raise InUseError from None
        if here.has_file(f"{stem}.zip") and here.has_file(f"{stem}.ziphash"):
            raise _AlreadyThereError
    here.unlink(f"{stem}.ziphash")


def structure_problem(file: ModuleFile, content: BinaryIO) -> str:
    """Return why the bytes of the open file `content` cannot be `file`, or an empty string. Raises OSError."""
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    if size == 0:
        return "the file is empty"
    if size > MAX_BYTES[file.kind]:
        return f"{size} bytes are more than Go accepts"
    if file.kind == "zip":
        return _zip_problem(file.module, content)
    data = content.read(size)  # and no more, even if it grows
    if file.kind == "mod":
        return "" if _MODULE_LINE.search(data) else "it has no module line"
    return "" if trimmed_info(file.module, data) else "it is not the JSON of a version's .info"


def content_problem(file: ModuleFile, path: Path) -> str:
    """Do the same as structure_problem, and read every byte of a zip: sizes and CRCs of its entries.

    A `.mod` is compared with the go.mod in the zip next to it, if there is one. Raises OSError if unreadable.
    """
    with path.open("rb") as content:
        problem = structure_problem(file, content)
        if problem or file.kind == "info":
            return problem
        if file.kind == "zip":
            return _entries_read_problem(content)
        data = _contents(file, content)
    in_zip = _gomod_in_zip(file.module, path.with_suffix(".zip"))
    return "" if in_zip in (None, data) else "it is not the go.mod of its zip"


def _contents(file: ModuleFile, content: BinaryIO) -> bytes:
    """Return all bytes up to Go's limit. The file may grow in the meantime."""
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    return content.read(min(size, MAX_BYTES[file.kind]))


def _gomod_in_zip(version: ModuleVersion, path: Path) -> bytes | None:
    """Return the go.mod of a zip, or None. An unreadable zip has None too, which is not the go.mod's fault."""

    def gomod(archive: zipfile.ZipFile) -> bytes:
        entry = archive.getinfo(f"{version}/go.mod")
        return archive.read(entry) if entry.file_size <= MAX_BYTES["mod"] else b""

    with suppress(KeyError, OSError, *UNREADABLE), path.open("rb") as content:
        return read_zip(content, gomod)
    return None


def _entries_read_problem(content: BinaryIO) -> str:
    try:
        return read_zip(content, _damage)
    except UNREADABLE as error:
        return f"it cannot be read to its end ({error})"


def _damage(archive: zipfile.ZipFile) -> str:
    bad = archive.testzip()
    return f"{bad} in it is damaged" if bad else ""


def _zip_problem(version: ModuleVersion, content: BinaryIO) -> str:
    """Check the central directory only. https://go.dev/ref/mod#zip-files"""
    try:
        return read_zip(content, lambda archive: _entries_problem(version, archive.infolist()))
    except UNREADABLE as error:
        return f"not a zip file ({error})"
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return "not a zip file (its directory begins before the file)"  # Python 3.10 seeks there anyway


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
    if sum(entry.file_size for entry in entries) > MAX_BYTES["zip"]:  # Go would inflate all of it for its hash
        return "it holds more than Go accepts"
    return ""


def trimmed_info(version: ModuleVersion, data: bytes) -> bytes | None:
    """Return a `.info` with its Version and Time only, or None if `data` is not the `.info` of this version.

    Go does not check this file, so only what Go needs is kept.
    """
    info = parse_object(data)
    if info is None or info.get("Version") != version.version:
        return None
    kept = {"Version": version.version}
    if _is_time(info.get("Time")):  # Go would not accept another time
        kept["Time"] = info["Time"]
    return json.dumps(kept, separators=(",", ":")).encode()


def _is_time(text: object) -> bool:
    """Return whether Go reads this as a time (RFC 3339)."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    try:
        return match is not None and bool(datetime.fromisoformat(match[1]))
    except ValueError:
        return False
