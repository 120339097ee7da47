"""Notices and errors in tests: their slugs and facts, and their text where a test is about text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from go_prefetch.errors import Notice, PrefetchError
from go_prefetch.render import messages
from go_prefetch.render.messages import as_error
from go_prefetch.render.texts import Text


def slugs(notices: Iterable[Notice]) -> list[str]:
    """Return the slug of each notice."""
    return [notice.slug for notice in notices]


def last_slugs(texts: Iterable[str]) -> list[str]:
    """Return the slug of each warning or reason of a report: it ends the first line."""
    return [text.partition("\n")[0].rpartition("[")[2].removesuffix("]") for text in texts]


def facts(of: Notice | PrefetchError) -> dict[str, Any]:
    """Return the facts of a notice or an error, by name."""
    return dict((of.notice if isinstance(of, PrefetchError) else of).facts)


@contextmanager
def recorded() -> Iterator[list[Notice]]:
    """Collect each notice that is made a text of in this process, once, so that its facts can be compared."""
    notices: list[Notice] = []
    template = messages._template

    def record(notice: Notice) -> Text:
        if notice not in notices:
            notices.append(notice)
        return template(notice)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "_template", record)
        yield notices


def printed(error: PrefetchError) -> str:
    """Return all that a user sees of an error."""
    return as_error(error.notice)
