"""Values out of JSON that somebody else wrote: what is not of the kind that was asked for counts as absent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

_LONGEST_TEXT = 1 << 16
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]|$)", re.ASCII)


def text(values: object, name: str) -> str:
    """The text called `name`, fit for UTF-8; the empty string if there is none."""
    value = values.get(name) if isinstance(values, Mapping) else None
    return value[:_LONGEST_TEXT].encode(errors="replace").decode() if isinstance(value, str) else ""


def integer(values: object, name: str) -> int:
    """The whole number from 0 to 2**53 called `name`; 0 if there is none."""
    value = values.get(name) if isinstance(values, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1 << 53 else 0


def number(values: object, name: str) -> float | None:
    """The finite number called `name`, below 1e12 either way; None if there is none."""
    value = values.get(name) if isinstance(values, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e12 < value < 1e12:
        return None  # NaN is not within limits either
    return float(value)


def moment(values: object, name: str) -> datetime | None:
    """The moment called `name`, in UTC; None if there is none."""
    return parse_moment(text(values, name))


def members(values: object, name: str) -> Mapping[str, Any]:
    """The object called `name`; an empty one if there is none."""
    value = values.get(name) if isinstance(values, Mapping) else None
    return value if isinstance(value, dict) else {}


def objects(values: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; nothing else that may be in it."""
    return (value for value in values if isinstance(value, dict)) if isinstance(values, list) else iter(())


def parse_moment(written: str) -> datetime | None:
    """The moment of an RFC 3339 text, in UTC; a date is its midnight; None if it is none."""
    if not _DATE.match(written):
        return None
    try:
        # Python 3.10 reads neither `Z` nor fractions of other than 3 or 6 digits.
        seconds, fraction, zone = _parted(written)
        read = datetime.fromisoformat(f"{seconds}{zone}")
        if read.tzinfo is None:
            read = read.replace(tzinfo=timezone.utc)
        return read.astimezone(timezone.utc).replace(microsecond=int(f"{fraction:0<6}"[:6]))
    except (ValueError, OverflowError):
        return None


def _parted(written: str) -> tuple[str, str, str]:
    """Date and time to the second, digits of the fraction, and the zone as Python 3.10 reads it."""
    if "." not in written:
        return (written[:-1], "", "+00:00") if written.endswith(("Z", "z")) else (written, "", "")
    seconds, rest = written.split(".", 1)
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(written)
    zone = rest[len(digits) :]
    return seconds, digits, "+00:00" if zone in ("Z", "z") else zone
