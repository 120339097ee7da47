"""A pool in place of a cache service: the same entries, as files. See entry_files.py for their names.

Other runs may use the pool at the same time. An entry appears complete, under a new name, and never changes.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from os.path import realpath
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import nofollow, removal
from go_prefetch.base.atomic_file import new_file
from go_prefetch.base.nofollow import Folder
from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import NOTES_FOLDER, clear_dead_runs, recording
from go_prefetch.errors import DownloadError, InputError, StoreError, notice
from go_prefetch.model.build_lineage import DIGITS, PREFIX, BuildEntryName, parse_build_key
from go_prefetch.modfiles.managed_folder import own
from go_prefetch.stores import entry_files
from go_prefetch.stores.cache_service.protocol import Found, NotAllowed, Upload
from go_prefetch.stores.cache_service.reading import Connection
from go_prefetch.stores.entry_files import ENTRIES, EntryFile
from go_prefetch.stores.pool_metadata import mark_used, mark_used_by_name

_KNOWN_CHARACTERS = len(f"{PREFIX}-") + 3 * DIGITS + 2  # of a key, in the name of its file


def folder_connection(root: Path, encoding_name: str, *, is_shared: bool = True) -> Connection:
    """Return the connection to the entries of the pool at `root`, which need not exist yet.

    `is_shared` is whether several jobs may use it at the same time. Otherwise a CI carries it from job to job, and its
    size is what that costs.
    """
    service = EntryFolder(root, encoding_name, is_shared=is_shared)
    # The arguments that are left out are about URLs that expire, and about ranges.
    return Connection(service, lambda url, _, deadline, __: EntryStream(service, url, deadline))


class EntryFolder:
    """The entries of one encoding in a pool. A CacheService whose URLs are the names of files."""

    def __init__(self, root: Path, encoding: str, *, is_shared: bool = True) -> None:
        self.name = f"directory pool {root}"
        self.root = Path(realpath(root))
        self.encoding = encoding
        self.is_shared = is_shared

    def look_up(self, prefixes: Sequence[str], deadline: Deadline) -> Found | None:
        """See CacheService. A folder that is not there has none."""
        del deadline
        try:
            with entry_files.opened_entries(self.root) as folder:
                found = self.entries(folder) if folder else []
                matches = (self._newest(prefix, found, folder) for prefix in prefixes if folder)
                return next(filter(None, matches), None)
        except OSError as error:
            raise self._unreadable(error) from None

    def reserve(self, key: str, deadline: Deadline) -> Upload:
        """See CacheService. Nothing is locked until the entry is complete."""
        del deadline
        entry = parse_build_key(key)
        if entry is None:
            raise NotAllowed(notice("store-not-allowed", "not-taken"))
        if not self.is_shared:
            with suppress(InputError, DownloadError):  # the next lines report it
                own(self.root)  # git ignores it: it is in the project
        with self.write_errors():
            self.root.mkdir(parents=True, exist_ok=True)
            removal.clear_way(self.root, f"{NOTES_FOLDER}/")
            clear_dead_runs(self.root)
            with entry_files.opened_entries(self.root) as folder:
                self.refuse(entry, self.entries(folder, entry.lineage) if folder else [])
            return _FileUpload(self, entry)

    def entries(self, folder: Folder, lineage: str = "") -> list[EntryFile]:
        """Return the entries that the open folder has, of one lineage or of all. Raises OSError."""
        every = entry_files.entry_files(folder)
        return [one for one in every if one.encoding == self.encoding and one.name.startswith(lineage)]

    def refuse(self, entry: BuildEntryName, found: Sequence[EntryFile]) -> None:
        """Raise NotAllowed if its lineage has such an entry, or not each one below."""
        if any(one.name == entry_files.file_name(entry, self.encoding) for one in found):
            raise NotAllowed(notice("entry-taken"))
        if not {one.stem.ids[0] for one in found}.issuperset(entry.ids[1:]):
            raise NotAllowed(notice("entry-base-gone"))

    def trim(self, folder: Folder, lineage: str) -> None:
        """Remove entries that no later run will read, after one of this lineage was saved. Call it with the lock."""
        entry_files.trim(folder, self.entries(folder, lineage), is_shared=self.is_shared)
        if not self.is_shared:
            entry_files.forget_lineages(folder, entry_files.entry_files(folder), lineage)

    def open(self, name: str) -> BinaryIO:
        """Open the file of an entry behind its first line, and record the use. Raises StoreError."""
        with ExitStack() as closing:
            try:
                file = closing.enter_context(nofollow.open_file(self.root, "/".join((*ENTRIES, name))))
                if not entry_files.read_first_line(file, name):
                    raise StoreError("store-damaged", "gone", key=name)
            except (FileNotFoundError, NotADirectoryError):
                raise StoreError("store-damaged", "gone", key=name) from None
            except OSError as error:
                raise self._unreadable(error) from None
            mark_used(file)
            mark_used_by_name(self.root, "/".join((*ENTRIES, name)))
            closing.pop_all()
            return file

    @contextmanager
    def write_errors(self) -> Iterator[None]:
        """Raise StoreError in place of OSError."""
        try:
            yield
        except OSError as error:
            raise StoreError("store-unwritable", store=self.name, words=error.strerror or str(error)) from None

    def _unreadable(self, error: OSError) -> StoreError:
        return StoreError("store-unreadable", "root", store=self.name, words=error.strerror or str(error))

    def _newest(self, prefix: str, found: list[EntryFile], folder: Folder) -> Found | None:
        for one in found:
            if one.name.startswith(prefix[:_KNOWN_CHARACTERS]):
                with suppress(OSError):  # it is gone, or belongs to another user
                    entry = entry_files.entry_of(folder, one.name)
                    if entry and entry.key.startswith(prefix):
                        return Found(entry.key, one.name)
        return None


class EntryStream:
    """The archive of an entry. The file is opened with the first read, which raises StoreError if it is gone."""

    def __init__(self, folder: EntryFolder, name: str, deadline: Deadline) -> None:
        self.received = 0
        self._folder = folder
        self._name = name
        self._deadline = deadline
        self._file: BinaryIO | None = None

    def __enter__(self) -> EntryStream:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end. Raises StoreError."""
        if self._deadline.passed():
            raise StoreError("store-slow", "no-time-to-read")
        self._file = self._file or self._folder.open(self._name)
        try:
            data = self._file.read(size)
        except OSError as error:
            raise StoreError("store-unreadable", "root", store=self._folder.name, words=error.strerror) from None
        self.received += len(data)
        return data


class _FileUpload:
    """An entry that is being written under a temporary name. A later run removes it if this one is killed."""

    def __init__(self, folder: EntryFolder, entry: BuildEntryName) -> None:
        self._folder = folder
        self._entry = entry
        self._lock = threading.Lock()
        self._failure: OSError | None = None
        self._line = entry_files.first_line(entry)
        name = "/".join((*ENTRIES, entry_files.file_name(entry, folder.encoding)))
        with ExitStack() as closing:
            record = closing.enter_context(recording(folder.root))
            removal.clear_way(folder.root, f"{'/'.join(ENTRIES)}/")
            self._file = closing.enter_context(new_file(folder.root, name, record=record))
            self._file.write(self._line)
            self._closing = closing.pop_all()

    def put(self, number: int, offset: int, block: bytes, deadline: Deadline) -> None:
        """See Upload. After an error, nothing of the entry is left."""
        del number
        if deadline.passed():
            raise StoreError("store-slow", "upload")
        with self._lock, self._folder.write_errors():
            if self._failure:
                raise self._failure
            try:
                self._file.seek(len(self._line) + offset)
                self._file.write(block)
            except OSError as error:
                self._fail(error)
                raise

    def put_whole(self, content: bytes, deadline: Deadline) -> None:
        """See Upload."""
        self.put(0, 0, content, deadline)
        self.finish(1, len(content), deadline)

    def abandon(self) -> None:
        """See Upload."""
        with self._lock:
            self._fail(InterruptedError(errno.ECANCELED, os.strerror(errno.ECANCELED)))

    def finish(self, blocks: int, size: int, deadline: Deadline) -> None:
        """See Upload. Then remove the entries that it replaces."""
        del blocks, size, deadline
        with (
            self._folder.write_errors(),
            nofollow.opened(self._folder.root, ENTRIES) as here,
            entry_files.locked(here) as is_locked,
        ):
            with self._closing:
                found = self._folder.entries(here, self._entry.lineage)
                self._folder.refuse(self._entry, found)
                self._file.flush()
                entry_files.set_newest(self._file, found)
            if is_locked:
                self._folder.trim(here, self._entry.lineage)

    def _fail(self, error: OSError) -> None:
        """Remove the temporary file and its record. Call it with the lock."""
        self._failure = self._failure or error
        self._closing.__exit__(type(error), error, error.__traceback__)
