"""Copy the bytes of an open file, or link to a file.

The file system copies where it can: a clone shares blocks but no inode.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.windows_names import IS_WINDOWS

_FICLONE = 0x40049409  # ioctl_ficlone(2)
_PIECE = 1 << 20
_RANGE = 1 << 26


class SourceError(Exception):
    """The source is not readable. The message is the system's."""


class TooLargeError(SourceError):
    """The source has more bytes than allowed."""


def copy(source: BinaryIO, out: BinaryIO, most: int) -> int:
    """Copy `source` from its beginning into the empty file `out`, and return the number of bytes.

    A later write to the source does not change the copy. Raises SourceError for a source that is not readable,
    TooLargeError for one with more than `most` bytes, OSError for `out`.
    """
    if not _cloned(source, out):
        _copied_in_kernel(source, out, most)
        while piece := _read(source):
            if out.write(piece) and out.tell() > most:
                break
        out.flush()
    size = os.fstat(out.fileno()).st_size
    if size > most:
        raise TooLargeError(f"more than {most} bytes are more than Go accepts")
    return size


def link_or_copy(source: Path, place: Path) -> None:
    """Make `place` a link to the file `source`, or on Windows a copy: it does not let all users create links."""
    if IS_WINDOWS:
        shutil.copyfile(source, place)
    else:
        place.symlink_to(source)


def _cloned(source: BinaryIO, out: BinaryIO) -> bool:
    """Clone with FICLONE: Btrfs, XFS, bcachefs, overlay on these."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - not everywhere

    with suppress(OSError):
        fcntl.ioctl(out.fileno(), _FICLONE, source.fileno())
        return True
    return False


def _copied_in_kernel(source: BinaryIO, out: BinaryIO, most: int) -> None:
    """Copy with copy_file_range(2) as far as it goes. The rest is read and written."""
    if not hasattr(os, "copy_file_range"):
        return
    copied = 0
    with suppress(OSError):
        while count := os.copy_file_range(source.fileno(), out.fileno(), min(_RANGE, most + 1 - copied)):
            copied += count


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(_PIECE)
    except OSError as error:
        raise SourceError(error.strerror) from None
