"""What GOAUTH means: its entries, and the output of its commands."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.web.goauth import GoAuth, parse_headers
from go_prefetch.web.http_settings import HttpSettings

TWO = {"A": "1, 3", "B": "2"}


@pytest.mark.parametrize(
    ("goauth", "has_commands"),
    [
        ("", False), ("netrc", False), ("off", False), ("login", True), ("netrc; login -x", True), ("git /srv", True),
        ("git", False), ("git relative", False), ("git /a /b", False), ("login;", False), ("off; login", False),
    ],
)  # fmt: skip
def test_lists_that_go_refuses_have_no_command(goauth: str, *, has_commands: bool) -> None:
    assert GoAuth(HttpSettings(goauth=goauth)).has_commands == has_commands


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("", {}),
        ("https://a.test\n\nA: 1\n\n", {"https://a.test": {"A": "1"}}),
        ("https://a.test\nhttps://b.test/x\n\nA: 1\nB: 2\nA: 3\n\nhttps://c.test\n\n\n",
         {"https://a.test": TWO, "https://b.test/x": TWO, "https://c.test": {}}),
    ],
    ids=["nothing", "one", "several, and one without headers"],
)  # fmt: skip
def test_parse_headers_reads_what_go_reads(output: str, found: dict[str, dict[str, str]]) -> None:
    assert parse_headers(output) == found


@pytest.mark.parametrize(
    "output",
    ["https://a.test\n\nA: 1\n", "https://a.test\n\nA: 1", "https://a.test\n\nA 1\n\n", "https://a.test\n\nA b: 1\n\n",
     "https://a.test\n", "https://a.test\n\nA: \x01\n\n"],
)  # fmt: skip
def test_parse_headers_refuses_what_go_refuses(output: str) -> None:
    with pytest.raises(ValueError, match=r"missing|invalid"):
        parse_headers(output)


@given(st.text(alphabet=st.sampled_from("a:/. \n\r\x00A1"), max_size=60))
def test_parse_headers_of_any_output_raises_value_error_only(output: str) -> None:
    with contextlib.suppress(ValueError):
        for headers in parse_headers(output).values():
            assert "\n" not in "".join(headers.values())
