"""Paths and names as Windows takes them. Everywhere else, each path and name is taken as it is."""

from __future__ import annotations

import ntpath
import re
import sys

IS_WINDOWS = sys.platform == "win32"

# A path has 259 characters at most without this prefix, and a folder 247, unless the machine allows more.
# https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
_PREFIX = "\\\\?\\"
_LONG = 240

# Names of devices, with any extension. https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*\\/]')


def extended(path: str, *, windows: bool = IS_WINDOWS) -> str:
    r"""Return a long absolute path with the prefix `\\?\`, with which Windows takes it. Return any other unchanged."""
    if not windows or len(path) < _LONG or path.startswith(_PREFIX) or not ntpath.isabs(path):
        return path
    plain = ntpath.normpath(path)  # with the prefix, Windows looks for `..` and `/` as if they were names
    return f"{_PREFIX}UNC{plain[1:]}" if plain.startswith("\\\\") else _PREFIX + plain


def is_entry_name(name: str, *, windows: bool = IS_WINDOWS) -> bool:
    """Return whether `name` is the name of an entry of a folder, and of no other entry or thing.

    On Windows, `a.` and `a ` are the entry `a`, `a:b` is a stream of it, and `nul` is a device in every folder.
    """
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        return False
    return not windows or not (name.endswith((".", " ")) or _FORBIDDEN.search(name) or _DEVICE.fullmatch(name))
