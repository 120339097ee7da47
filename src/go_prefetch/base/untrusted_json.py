"""Untrusted JSON, read within limits of size and depth. A value of an unexpected kind counts as absent.

Every JSON text of another program is read here. Functions that start with `as_` check one value. The others check the
value of a name.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

MOST_BYTES = 16 << 20
MOST_DEPTH = 64
_LONGEST_TEXT = 1 << 16
_LARGEST_INTEGER = 1 << 53  # sums of many such numbers stay exact
_LARGEST_NUMBER = 1e12
_NOT_BLANK = re.compile(r"\S")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]|$)", re.ASCII)


def parse(data: bytes | str, most_bytes: int = MOST_BYTES) -> Any:
    """Return the value of a JSON text; None if it is too large, nested too deeply, or not JSON."""
    if len(data) > most_bytes:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if _is_shallow(value) else None


def parse_object(data: bytes | str, most_bytes: int = MOST_BYTES) -> dict[str, Any] | None:
    """Return the object of a JSON text; None for everything else."""
    value = parse(data, most_bytes)
    return value if isinstance(value, dict) else None


def parse_objects(data: str) -> Iterator[dict[str, Any]]:
    """Return the objects of a text with one JSON value after the other, up to the first that is not JSON."""
    decoder, at = json.JSONDecoder(), 0
    while start := _NOT_BLANK.search(data, at):
        try:
            value, at = decoder.raw_decode(data, start.start())
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict) and _is_shallow(value):
            yield value


def read_object(path: Path, most_bytes: int = MOST_BYTES) -> dict[str, Any] | None:
    """Return the object in a file, or None if there is none. A pipe or a device is not read, because it may not end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            return parse_object(file.read(most_bytes + 1), most_bytes)
    except (OSError, ValueError):  # ValueError: a zero byte in the path
        return None


def required(value: T | None) -> T:
    """Return the value. Raise ValueError if it is absent."""
    if value is None:
        raise ValueError("absent, or of another kind")
    return value


def as_text(value: object, longest: int = _LONGEST_TEXT) -> str | None:
    """Return a text of at most `longest` characters, fit for UTF-8; None for everything else."""
    if not isinstance(value, str) or len(value) > longest:
        return None
    return value.encode(errors="replace").decode()


def as_integer(value: object, most: int = _LARGEST_INTEGER) -> int | None:
    """Return a whole number from 0 to `most`; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        return None
    return value


def as_number(value: object, low: float = -_LARGEST_NUMBER, high: float = _LARGEST_NUMBER) -> float | None:
    """Return a number from `low` to `high`; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        return None  # NaN is not within limits either
    return float(value)


def as_moment(value: object) -> datetime | None:
    """Return a datetime, in UTC; None for everything else. One without a time zone is in UTC."""
    if not isinstance(value, datetime):
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except OverflowError:  # the year 1 or 9999, in another time zone
        return None


def text(values: object, name: str) -> str:
    """Return the text called `name`; the empty string if there is none."""
    return as_text(_member(values, name)) or ""


def integer(values: object, name: str) -> int:
    """Return the whole number called `name`; 0 if there is none."""
    return as_integer(_member(values, name)) or 0


def moment(values: object, name: str) -> datetime | None:
    """Return the moment called `name`, in UTC; None if there is none."""
    return parse_moment(text(values, name))


def members(values: object, name: str) -> Mapping[str, Any]:
    """Return the object called `name`; an empty one if there is none."""
    value = _member(values, name)
    return value if isinstance(value, dict) else {}


def objects(values: object, name: str = "") -> Iterator[Mapping[str, Any]]:
    """Return the objects in a list, or in the list called `name`."""
    value = _member(values, name) if name else values
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def texts(values: object, name: str) -> Iterator[str]:
    """Return the texts in the list called `name`."""
    value = _member(values, name)
    return filter(None, map(as_text, value)) if isinstance(value, list) else iter(())


def parse_moment(written: str) -> datetime | None:
    """Return the moment of an RFC 3339 text, in UTC; a date is its midnight; None for everything else."""
    if not _DATE.match(written):
        return None
    try:
        # Python 3.10 reads neither `Z` nor fractions of other than 3 or 6 digits.
        seconds, fraction, zone = _split_moment(written)
        moment = datetime.fromisoformat(f"{seconds}{zone}").replace(microsecond=int(f"{fraction:0<6}"[:6]))
    except ValueError:
        return None
    return as_moment(moment)


def _split_moment(written: str) -> tuple[str, str, str]:
    """Return date and time to the second, digits of the fraction, and the zone as Python 3.10 reads it."""
    if "." not in written:
        return (written[:-1], "", "+00:00") if written.endswith(("Z", "z")) else (written, "", "")
    seconds, rest = written.split(".", 1)
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if not digits:
        raise ValueError(written)
    zone = rest[len(digits) :]
    return seconds, digits, "+00:00" if zone in ("Z", "z") else zone


def _member(values: object, name: str) -> object:
    return values.get(name) if isinstance(values, Mapping) else None


def _is_shallow(value: object) -> bool:
    """Return whether no value is deeper than MOST_DEPTH, level by level."""
    level = [value]
    for _ in range(MOST_DEPTH):
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, (dict, list)))
        level = [child for children in inner for child in children]
        if not level:
            return True
    return False
