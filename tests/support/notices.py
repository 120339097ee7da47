"""Notices and errors in tests: their slugs and facts, and their text where a test is about text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from go_prefetch.errors import Notice, PrefetchError
from go_prefetch.render.messages import as_error


def slugs(notices: Iterable[Notice]) -> list[str]:
    """Return the slug of each notice."""
    return [notice.slug for notice in notices]


def facts(error: PrefetchError) -> dict[str, Any]:
    """Return the facts of an error, by name."""
    return dict(error.notice.facts)


def printed(error: PrefetchError) -> str:
    """Return all that a user sees of an error."""
    return as_error(error.notice)
