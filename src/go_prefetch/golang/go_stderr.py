"""The meaning of Go's messages on stderr: which file it rejects, and whether a retry may help."""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

from go_prefetch.golang.modcache import Kind, ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.golang.toolchain import is_toolchain_named

# A proxy may choose a part of these lines, so no pattern may take long for a long line.
_MISMATCH = re.compile(r"verifying (?P<path>[^\s@]+)@(?P<version>[^\s/:]+)(?P<mod>/go\.mod)?: checksum mismatch")
# The message of the checksum database, where go.sum has no line.
_SUMDB_MISMATCH = re.compile(
    r"(?:^|(?<=\s))(?P<path>[^\s@]+)@(?P<version>[^\s/:]+): verifying (?:module|(?P<mod>go\.mod)): checksum mismatch"
)
# Messages of archive/zip, compress/flate and x/mod/zip about a zip with a valid structure and invalid content.
_DAMAGED_ZIP = re.compile(r"(?<![.\w])zip: |not a valid zip file|flate: |\bunzip \S|unexpected EOF")
# Go names a toolchain that it cannot unpack by its version alone.
_TOOLCHAIN = re.compile(r"^go: download (?P<name>go1[^\s:]{0,100}): ")
_DAMAGED_MOD = re.compile(r"\bparsing\b.{0,1000}\.mod|invalid go\.mod")
_MODULE_AT = re.compile(r"(?:^|(?<=[\s@:\"']))(?P<path>[^\s@:\"']+)@(?P<version>v[^\s:/\"']+)")
_TRANSIENT = re.compile(
    r"stream error: stream ID \d+; (INTERNAL_ERROR|PROTOCOL_ERROR|REFUSED_STREAM)|GOAWAY|unexpected EOF|: EOF$"
    r"|connection reset by peer|connection refused|i/o timeout|TLS handshake timeout"
    r"|: (408|429|5\d\d) |invalid response from proxy|fetch timed out|no such host|network is unreachable"
    # git and ssh
    r"|Could not resolve host|Failed to connect to|ssh: connect to host|Empty reply from server|early EOF"
    r"|The requested URL returned error: (429|5\d\d)|CONNECT tunnel failed, response 5\d\d"
)
_NO_SUCH_FILE = ("no such file or directory", "The system cannot find the file specified")
_MISMATCH_LINES = 3  # the result, the hash of the download, the hash of go.sum


class Refusal(NamedTuple):
    """A file that Go rejected, by its checksum or because it cannot be read, with Go's message."""

    file: ModuleFile
    is_mismatch: bool
    words: str


def refusals(lines: Sequence[str], planned: AbstractSet[ModuleFile]) -> list[Refusal]:
    """Return the files that these lines reject. An unreadable file counts only if it is in the plan."""
    found = []
    for number, line in enumerate(lines):
        mismatch = _MISMATCH.search(line) or _SUMDB_MISMATCH.search(line)
        if mismatch:
            version = ModuleVersion(mismatch["path"], mismatch["version"])
            words = "\n".join(lines[number : number + _MISMATCH_LINES])
            found.append(
                Refusal(ModuleFile(version, "mod" if mismatch["mod"] else "zip"), is_mismatch=True, words=words)
            )
            continue
        file = _broken_file(line, planned)
        if file:
            found.append(Refusal(file, is_mismatch=False, words=line))
    return found


def _broken_file(line: str, planned: AbstractSet[ModuleFile]) -> ModuleFile | None:
    if _is_of_a_lost_zip(line):
        return None
    kind: Kind | None = "zip" if _DAMAGED_ZIP.search(line) else "mod" if _DAMAGED_MOD.search(line) else None
    if kind is None:
        return None
    named = [ModuleFile(ModuleVersion(at["path"], at["version"]), kind) for at in _MODULE_AT.finditer(line)]
    if toolchain := _TOOLCHAIN.search(line):
        named += (file for file in planned if is_toolchain_named(file.module, toolchain["name"]))
    return next((file for file in named if file in planned), None)


def tells_of_a_damaged_zip(words: str) -> bool:
    """Return whether Go could not read a zip to its end. `go mod download` does not name the zip; `-json` does."""
    return _DAMAGED_ZIP.search(words) is not None and not _is_of_a_lost_zip(words)


def tells_of_a_lost_zip(lines: Sequence[str], folder: Path) -> bool:
    """Return whether a zip in `folder`, or Go's hash of it, disappeared while Go was reading.

    Go looks for them without its own lock. It fails if another run replaces a file between its two looks.
    """
    return any(str(folder) in line and _is_of_a_lost_zip(line) for line in lines)


def _is_of_a_lost_zip(words: str) -> bool:
    return (".zip: " in words or ".ziphash: " in words) and any(no_such in words for no_such in _NO_SUCH_FILE)


def may_pass(lines: Sequence[str]) -> bool:
    """Return whether any line reports a failure of network or server that a retry may not meet."""
    return any(map(_TRANSIENT.search, lines))
