"""GOFLAGS as Go reads it: flags separated by spaces, with `-` or `--`, optionally in quotes. The last one counts.

cmd/internal/quoted.Split and cmd/go/internal/base.InitGOFLAGS.
"""

from __future__ import annotations

import re

_FLAG = re.compile(r"""'([^']*)'|"([^"]*)"|(\S+)""")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


def flags(goflags: str) -> list[str]:
    """Return every flag, without its quotes, as `-name` or `-name=value`."""
    return [f"-{''.join(found).lstrip('-')}" for found in _FLAG.findall(goflags)]


def value(goflags: str, name: str) -> str:
    """Return the value of `-name=`, or an empty string."""
    return _last(goflags, name).partition("=")[2]


def is_set(goflags: str, name: str) -> bool:
    """Return whether the switch `-name` is on."""
    found, _, text = _last(goflags, name).partition("=")
    return bool(found) and text not in _FALSE


def _last(goflags: str, name: str) -> str:
    fitting = [flag for flag in flags(goflags) if flag.partition("=")[0] == f"-{name}"]
    return fitting[-1] if fitting else ""
