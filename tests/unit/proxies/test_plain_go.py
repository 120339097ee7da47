"""What Go alone would have made of the same answers, as seen of go 1.21 to 1.27: never more than is known."""

from __future__ import annotations

import pytest

from go_prefetch.base.retry import AttemptError
from go_prefetch.golang.goproxy import Fallback, parse_proxy_list
from go_prefetch.proxies.plain_go import Asked, ends_at

NOT_FOUND = AttemptError("404 Not Found", not_found=True)
ERROR = AttemptError("502 Bad Gateway")
SILENT = AttemptError("no answer within 15s", kind="silent")
CONTENT = AttemptError("not a zip file", kind="content")
LOST = AttemptError("connection reset by peer", kind="lost")
OVERTAKEN = AttemptError("overtaken", kind="overtaken")
CAME = None

LISTS = {"alone": "https://a.test", ",": "https://a.test,https://b.test", "|": "https://a.test|https://b.test",
         "| direct": "https://a.test|direct", ", direct": "https://a.test,direct"}  # fmt: skip


@pytest.mark.parametrize(
    ("goproxy", "met", "ends"),
    [
        ("alone", [(0, CAME)], False),
        ("alone", [(0, ERROR), (0, CAME)], True),
        ("alone", [(0, LOST), (0, CAME)], False),
        ("alone", [(0, LOST), (0, LOST), (0, CAME)], True),
        ("alone", [(0, OVERTAKEN), (0, CAME)], False),
        (",", [(0, NOT_FOUND), (1, CAME)], False),
        (",", [(0, NOT_FOUND), (1, ERROR), (1, CAME)], True),
        (",", [(0, ERROR), (1, CAME)], True),
        ("|", [(0, ERROR), (1, CAME)], False),
        ("|", [(0, SILENT), (1, CAME)], True),
        ("|", [(0, CONTENT), (1, CAME)], True),
        ("|", [(0, ERROR), (1, ERROR), (0, CAME)], True),
        ("|", [(1, CAME)], False),
        ("| direct", [(0, ERROR), (0, CAME)], False),
        ("| direct", [(0, SILENT), (0, CAME)], True),
        (", direct", [(0, ERROR), (0, CAME)], True),
    ],
)
def test_where_go_would_have_ended(goproxy: str, met: list[tuple[int, AttemptError | None]], ends: bool) -> None:
    parsed = parse_proxy_list(LISTS[goproxy])
    asked = [Asked(parsed.proxies[number], error) for number, error in met]
    assert ends_at(asked, parsed.proxies, parsed.ending) == ends


def test_it_is_the_list_as_written_that_counts() -> None:
    """`--fallback any` sends us on past a comma; Go with the user's own list would have ended there."""
    parsed = parse_proxy_list(LISTS[","]).with_fallback(Fallback.ANY)
    first, second = parsed.proxies
    assert first.on_any_error
    assert ends_at([Asked(first, ERROR), Asked(second, None)], parsed.proxies, parsed.ending)
