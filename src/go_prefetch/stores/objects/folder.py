"""A directory pool as objects: what is in it, as in a bucket. No link below the pool is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base import file_copy, nofollow
from go_prefetch.base.retry import Deadline
from go_prefetch.stores.objects.port import ObjectError, ObjectInfo, Trouble


class FolderObjects:
    """The files of the pool at `root`, which need not exist. The methods are those of ObjectStorage."""

    def __init__(self, root: Path) -> None:
        self.name = f"directory pool {root}"
        self._root = Path(os.path.realpath(root))

    def get(self, name: str, out: BinaryIO, most: int, deadline: Deadline) -> int:
        """Copy a file of at most `most` bytes to `out` and return its size. Raises OSError of `out` too."""
        del deadline
        with _errors():
            source = nofollow.open_file(self._root, name)
        with source:
            try:
                return file_copy.copy(source, out, most)
            except file_copy.TooLargeError as error:
                raise ObjectError(Trouble.TOO_LARGE, str(error)) from None
            except file_copy.SourceError as error:
                raise ObjectError(Trouble.UNREACHABLE, str(error)) from None

    def put(self, name: str, content: BinaryIO, deadline: Deadline, *, replaces: bool = False) -> bool:
        """Refuse: a directory pool has its own way to save."""
        del name, content, deadline, replaces
        raise ObjectError(Trouble.REFUSED)

    def size(self, name: str, deadline: Deadline) -> int | None:
        """Return the size of a file in bytes; None if there is none."""
        del deadline
        nothing = suppress(FileNotFoundError, NotADirectoryError)
        with _errors(), nothing, nofollow.parent(self._root, name) as (folder, last):
            found = folder.stat(last)
            return found.st_size if found else None
        return None

    def remove(self, name: str, deadline: Deadline) -> None:
        """Remove a file, if there is one."""
        del deadline
        gone = suppress(FileNotFoundError, NotADirectoryError)
        with _errors(), gone, nofollow.parent(self._root, name) as (folder, last):
            folder.unlink(last)

    def entries(self, prefix: str, deadline: Deadline) -> Iterator[ObjectInfo]:
        """Yield the regular files whose names begin with `prefix`."""
        del deadline
        for parts, folder, names in nofollow.walk(self._root) if self._root.is_dir() else ():
            for last in names:
                found, name = folder.stat(last), "/".join((*parts, last))
                if found and stat.S_ISREG(found.st_mode) and name.startswith(prefix):
                    yield ObjectInfo(name, found.st_size, found.st_mtime)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise ObjectError(Trouble.MISSING) from None
    except OSError as error:
        raise ObjectError(Trouble.UNREACHABLE, error.strerror or str(error)) from None
