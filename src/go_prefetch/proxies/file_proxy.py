"""A `file://` proxy: a folder in GOPROXY layout, perhaps on a network, and no more trusted than a server."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile
from go_prefetch.web.answer import up_to
from go_prefetch.web.in_flight import Received, Wire

_PIECE = 1 << 20


def copied(url: str, file: ModuleFile, out: BinaryIO, deadline: Deadline, wire: Wire) -> Received:
    """Copy `file` from the folder into `out`.

    A missing file is not found. A file that is not readable is an error, as for Go.

    Raises AttemptError for a problem with the folder, OSError for a problem with `out`.
    """
    from urllib.request import url2pathname  # noqa: PLC0415 - 20 ms, and file:// proxies are few

    with _opened(Path(url2pathname(urlsplit(url).path)) / file.name) as source:
        total = 0
        for piece in up_to(MAX_BYTES[file.kind], iter(lambda: _read(source), b"")):
            total += len(piece)
            if wire.is_cut or deadline.passed():
                raise AttemptError("no time left", transient=False)
            wire.note_progress(len(piece))
            out.write(piece)
    return Received(total)


def _opened(path: Path) -> BinaryIO:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe waits for a writer
            raise AttemptError("it is not a regular file", transient=False)
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        raise AttemptError("no such file", not_found=True) from None
    except OSError as error:
        raise _unreadable(error) from None


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(_PIECE)
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> AttemptError:
    return AttemptError((error.strerror or str(error)).lower(), transient=False)
