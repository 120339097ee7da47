"""Warnings by their slugs, not by their text."""

from __future__ import annotations

from collections.abc import Iterable

from go_prefetch.errors import Notice


def slugs(warnings: Iterable[Notice | str]) -> list[str]:
    """Return the slug of each warning. A warning that is still a text stays one."""
    return [warning.slug if isinstance(warning, Notice) else warning for warning in warnings]
