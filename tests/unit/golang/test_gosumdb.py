"""GOSUMDB, as Go reads it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.golang.gosumdb import ChecksumDatabase, parse_gosumdb

KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


@pytest.mark.parametrize(
    ("text", "database"),
    [
        ("off", None),
        ("", ChecksumDatabase("sum.golang.org")),
        ("sum.golang.org", ChecksumDatabase("sum.golang.org")),
        ("sum.golang.google.cn", ChecksumDatabase("sum.golang.org", "https://sum.golang.google.cn")),
        (KEY, ChecksumDatabase("sum.golang.org")),
        (f"{KEY} https://me:pw@sum.test/x/", ChecksumDatabase("sum.golang.org", "https://me:pw@sum.test/x")),
        ("corp.test/sumdb+033de0ae+Ac4zctda0e5eza", ChecksumDatabase("corp.test/sumdb")),
        ("sum.golang.org sum.test", ChecksumDatabase("sum.golang.org", "https://sum.test")),
        ("sum.golang.org file:///srv/sumdb", ChecksumDatabase("sum.golang.org", "file:///srv/sumdb")),
    ],
)
def test_parse_gosumdb_reads_names_keys_and_urls(text: str, database: ChecksumDatabase | None) -> None:
    assert parse_gosumdb(text) == database


@pytest.mark.parametrize(
    "text",
    [
        "sum.corp.test",  # no key
        "sum.golang.google.cn https://x.test",  # Go knows this name without a URL only
        "sum.golang.org https://a.test https://b.test",
        "sum.golang.org ftp://a.test",
        "sum.golang.org http://[::",
        "sum.golang.org http://a.test:port",
        "  ",
        "ev\x1b[31mil+033de0ae+Ac4z",
    ],
)
def test_parse_gosumdb_refuses_what_go_refuses(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the reason is shown to no one
        parse_gosumdb(text)


@given(st.text() | st.from_regex(r"\A[a-z.]{1,9}\+[0-9a-f]{8}\+[A-Za-z]{1,9} https?://[^ ]{0,20}\Z"))
def test_parse_gosumdb_of_any_text_raises_value_error_only(text: str) -> None:
    with suppress(ValueError):
        parse_gosumdb(text)
