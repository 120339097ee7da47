"""Record lines out of job logs: plain text, or the zip of a run's logs. A log may hold anything, and be of any size."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from go_prefetch.base.retry import AttemptError
from go_prefetch.base.temporary_folder import temporary_folder
from go_prefetch.render.record import PREFIX, parse_record
from go_prefetch.web.answer import Answer, up_to

ONE_LOG = 600.0  # seconds for one log
_LARGEST_DOWNLOAD = 256 << 20  # bytes of one log, packed or plain
_MOST_UNPACKED = 2 << 30  # bytes of all logs of a run: some 20 million lines
_LONGEST_LINE = 1 << 16
_MOST_RECORDS = 1000  # of one run; a matrix has 256 jobs
_LARGEST_DIRECTORY = 4 << 20  # bytes of a zip's table of contents, which is read as a whole
_WANTED = PREFIX.encode()
_TOP = re.compile(r"\d+_(.*)\.txt")


class Lines(Protocol):
    """A stream of bytes, read line by line."""

    def readline(self, size: int, /) -> bytes:
        """Return the next line, or as much of it as `size` bytes."""


class LogError(Exception):
    """Why logs cannot be read, in a few words."""


class LogsGone(Exception):  # noqa: N818 - not an error: forges keep logs for a time
    """The forge no longer has the logs of this run."""


@contextmanager
def downloaded(opened: AbstractContextManager[Answer]) -> Iterator[Path]:
    """Download a log into a temporary file. Raises LogError and LogsGone."""
    with temporary_folder() as folder:
        path = Path(folder, "log")
        try:
            with opened as answer:
                write_log(answer, path)
        except AttemptError as error:
            if error.not_found:
                raise LogsGone from None
            raise LogError(f"the log did not come: {error.words}") from None
        yield path


def write_log(answer: Answer, path: Path) -> None:
    """Write the body of a log. Raises AttemptError and OSError."""
    if answer.status != 200:
        gone = answer.status in (404, 410)
        raise AttemptError(f"{answer.status} {answer.reason}".strip(), not_found=gone, transient=not gone)
    with path.open("wb") as out:
        out.writelines(up_to(_LARGEST_DOWNLOAD, answer.pieces))


def lines_in_text(stream: Lines, most: int = _MOST_UNPACKED) -> Iterator[str]:
    """Return the record lines of one plain log. Raises LogError if it is too long, or has too many records."""
    read = records = 0
    whole = True
    while piece := stream.readline(_LONGEST_LINE):
        read += len(piece)
        if read > most:
            raise LogError(f"more than {most >> 20} MB of log")
        begins_line, whole = whole, piece.endswith(b"\n")
        if begins_line and _WANTED in piece:
            line = _record_line(piece)
            if line:
                records += 1
                if records > _MOST_RECORDS:
                    raise LogError(f"more than {_MOST_RECORDS} records in one log")
                yield line


def lines_in_zip(path: Path, most: int = _MOST_UNPACKED) -> list[tuple[str, str]]:
    """Return job and record line of each record in a run's zip of logs. Raises LogError if it cannot be read.

    GitHub puts each job's whole log at the top (`0_build.txt`) and the same again, step by step, into folders.
    """
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            found: list[tuple[str, str]] = []
            for member in _logs(archive.infolist()):
                with archive.open(member) as stream:
                    most = _add(found, _job(member.filename), stream, most)
            return found
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError) as error:
        raise LogError(f"the zip of logs cannot be read ({' '.join(str(error).split())[:200]})") from None


def _add(found: list[tuple[str, str]], job: str, stream: Lines, most: int) -> int:
    """Add the records of one log. Return how many bytes may still be read."""
    counted = _Counted(stream)
    for line in lines_in_text(counted, most):
        found.append((job, line))
        if len(found) > _MOST_RECORDS:
            raise LogError(f"more than {_MOST_RECORDS} records in one run")
    return most - counted.read_bytes


class _Counted:
    """A stream that counts the bytes read."""

    def __init__(self, stream: Lines) -> None:
        self._stream = stream
        self.read_bytes = 0

    def readline(self, size: int, /) -> bytes:
        """See Lines."""
        line = self._stream.readline(size)
        self.read_bytes += len(line)
        return line


def _check_directory(path: Path) -> None:
    """Refuse a zip with too large a table of contents: zipfile reads it into memory (APPNOTE.TXT 4.3.16)."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16) - 22))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise LogError("what came is no zip")
    (directory,) = struct.unpack_from("<I", tail, at + 12)
    if directory > _LARGEST_DIRECTORY or b"PK\x06\x07" in tail[:at][-20:]:
        raise LogError("the zip of logs has too many files")


def _logs(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the logs of whole jobs, or those of steps if there are none, if they are compressed as usual."""
    files = (m for m in members if not m.filename.endswith("/"))  # ZipInfo.is_dir chokes on a name that is empty
    usual = [m for m in files if m.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
    return [m for m in usual if _TOP.fullmatch(m.filename)] or [m for m in usual if m.filename.endswith(".txt")]


def _job(name: str) -> str:
    match = _TOP.fullmatch(name)
    return " ".join((match[1] if match else name.split("/", 1)[0]).split())[:200]


def _record_line(piece: bytes) -> str:
    """Return the record line in this line of a log; the empty string if it only quotes one, or makes no sense."""
    line = piece.decode(errors="replace").rstrip("\r\n")
    return line if parse_record(line) else ""
