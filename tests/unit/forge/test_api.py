"""What answers of an API mean: rate limits as both forges tell them."""

from __future__ import annotations

import pytest

from go_prefetch.forge.api import Reply, refusal_by
from go_prefetch.web.pacing import Refusal

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "body", "seconds"),
    [
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000100"}, "", None),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000100"}, "", 101),
        (403, {"x-ratelimit-remaining": "9", "x-ratelimit-reset": "1000100"}, "", None),
        (429, {"ratelimit-remaining": "0", "ratelimit-reset": "1000100"}, "Retry later", 101),
        (403, {"retry-after": "60"}, "", 60),
        (429, {}, "", 60),
        (403, {}, '{"message": "You have exceeded a secondary rate limit"}', 60),
        (403, {}, '{"message": "Resource not accessible by integration"}', None),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, "", None),
        (503, {"retry-after": "7"}, "", 7),
        (503, {}, "", None),
    ],
    ids=[
        "an answer",
        "github",
        "some left",
        "gitlab",
        "retry-after",
        "429",
        "secondary",
        "forbidden",
        "nonsense",
        "busy",
        "broken",
    ],
)
def test_seconds_until_a_limit_ends(status: int, headers: dict[str, str], body: str, seconds: float | None) -> None:
    refusal = None if seconds is None else Refusal(seconds)
    assert refusal_by(Reply(status, headers, body), NOW) == refusal
