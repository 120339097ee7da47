"""Large zips of a pool once more: rewritten as stored and compressed, in addition to the zips that plain Go reads.

    .go-prefetch/repacked/<module>/@v/<version>.zip.<encoding>   an entry archive (see archive.py) of this one zip

Text and code that a zip has in many small files take much less space in one stream. Each key's notes name those that
there are for it. A pool without them works, and they are untrusted as all of a pool.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import NOTES_FOLDER
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder, file_named
from go_prefetch.modfiles.zip_repack import stored_size
from go_prefetch.stores.cache_service.compression import Encoding
from go_prefetch.stores.cache_service.module_archive import read_archive, write_archive
from go_prefetch.stores.objects.port import ObjectStorage

_FOLDER = f"{NOTES_FOLDER}/repacked/"
_LEAST = 2 << 20  # bytes of a zip. The few larger ones have most of the bytes of a project
_WINDOW_LOG = 25  # 32 MiB: several are read at once. With the 128 MiB of an entry they are hardly smaller
_WORTH = 0.9  # of the zip: what takes more space is not kept twice


def zip_of_repacked(name: str) -> ModuleFile | None:
    """Return the zip that an object with this name is a copy of; None for all other names."""
    plain, dot, encoding = name.removeprefix(_FOLDER).rpartition(".")
    file = file_named(plain) if name.startswith(_FOLDER) and dot and encoding else None
    return file if file and file.kind == "zip" else None


class RepackedZips:
    """The repacked zips in `storage` that clients with this encoding read. Most methods raise ObjectError."""

    def __init__(self, storage: ObjectStorage, encoding: Encoding) -> None:
        self._storage = storage
        self._encoding = encoding

    def name_of(self, file: ModuleFile) -> str:
        """Return the name of the object for a zip."""
        return f"{_FOLDER}{file.name}.{self._encoding.name}"

    def is_candidate(self, file: ModuleFile, folder: ModuleFolder) -> bool:
        """Return whether this may be a zip that is worth it."""
        return self._encoding.rewrites_zips and file.kind == "zip" and folder.size_if_there(file) >= _LEAST

    def is_there(self, file: ModuleFile, deadline: Deadline) -> bool:
        """Return whether the storage has it."""
        return self._storage.size(self.name_of(file), deadline) is not None

    @contextmanager
    def fetched(self, file: ModuleFile, deadline: Deadline) -> Iterator[tuple[IO[bytes], int]]:
        """Yield the bytes of the object and their number during the block. Raises OSError too."""
        with tempfile.TemporaryFile() as archive:
            size = self._storage.get(self.name_of(file), archive, MAX_BYTES["zip"], deadline)
            archive.seek(0)
            yield archive, size

    def unpack(self, archive: IO[bytes], file: ModuleFile, folder: ModuleFolder, deadline: Deadline) -> bool:
        """Put the zip into `folder`. Return whether it was in there, and can be what its name says.

        Raises ArchiveError for a damaged archive, StoreError as read_archive does, OSError as the folder does.
        """
        came: list[ModuleFile] = []
        read_archive(
            archive,
            self._encoding,
            folder=folder,
            deadline=deadline,
            arrived=came.append,
            choose=lambda manifest: {file.name: file} if any(m.name == file.name for m in manifest.members) else {},
        )
        return bool(came)

    def put(self, file: ModuleFile, folder: ModuleFolder, deadline: Deadline) -> bool:
        """Write the object unless there is one. Return False if it would not be worth it. Raises ArchiveError, OSError.

        A zip in `folder` that came repacked itself has no size to compare with.
        """
        plain = folder.size_if_there(file)
        if stored_size(folder.path_of(file)) in (None, plain):
            return False
        with tempfile.TemporaryFile() as archive:
            write_archive(archive, folder, [file], self._encoding.with_window(_WINDOW_LOG))
            if archive.tell() > plain * _WORTH:
                return False
            self._storage.put(self.name_of(file), archive, deadline)
        return True

    def remove(self, file: ModuleFile, deadline: Deadline) -> None:
        """Remove the object, if there is one."""
        self._storage.remove(self.name_of(file), deadline)
