"""What answers of an API mean: rate limits as both forges tell them."""

from __future__ import annotations

import pytest

from go_prefetch.forge.api import Reply, limited_seconds

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
    ],
    ids=["an answer", "github", "some left", "gitlab", "retry-after", "429", "secondary", "forbidden", "nonsense"],
)
def test_seconds_until_a_limit_ends(status: int, headers: dict[str, str], body: str, seconds: float | None) -> None:
    assert limited_seconds(Reply(status, headers, body), NOW) == seconds
