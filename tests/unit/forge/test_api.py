"""What answers of an API mean: rate limits as both forges tell them, values out of foreign JSON."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base import untrusted_json
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


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_whatever_the_json_is_its_values_are_of_their_kinds(value: object) -> None:
    """And fit to be added up and written."""
    for values in ({"x": value}, value):
        untrusted_json.text(values, "x").encode()
        assert 0 <= untrusted_json.integer(values, "x") <= 1 << 53
        assert untrusted_json.number(values, "x") is None or abs(untrusted_json.number(values, "x") or 0) < 1e12
        assert untrusted_json.moment(values, "x") is None
        assert isinstance(untrusted_json.members(values, "x"), dict)
        assert all(isinstance(one, dict) for one in untrusted_json.objects(values))


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=timezone.utc)),
        ("2026-03-02T09:00:01Z", datetime(2026, 3, 2, 9, 0, 1, tzinfo=timezone.utc)),
        ("2026-03-02T09:00:01.213333333Z", datetime(2026, 3, 2, 9, 0, 1, 213333, tzinfo=timezone.utc)),
        ("2026-03-02T10:00:01.5+01:00", datetime(2026, 3, 2, 9, 0, 1, 500000, tzinfo=timezone.utc)),
        ("20260302", None),
        ("2026-13-02", None),
        ("deadbeef", None),
        ("", None),
    ],
)
def test_moments(written: str, moment: datetime | None) -> None:
    assert untrusted_json.parse_moment(written) == moment


@given(st.text())
def test_any_text_is_a_moment_or_none(written: str) -> None:
    found = untrusted_json.parse_moment(written)
    assert found is None or found.tzinfo is timezone.utc
