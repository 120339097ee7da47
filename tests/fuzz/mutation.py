"""Broken inputs made of good ones: bytes left out, put in, repeated, and pieces of another input."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

# What readers look for, and what some of them trip over.
_TOKENS = (
    b"", b"\0", b"\n", b"\r", b"\r\n", b" ", b"\t", b'"', b"'", b"`", b"\\", b"/", b"..", b"../", b"//", b"@", b":",
    b"::", b"://", b"?", b"#", b"##[", b"&", b"*", b"%", b"%2e%2e%2f", b"{", b"}", b"[", b"]", b"(", b")", b",", b"|",
    b"=", b"-", b"--", b"+", b"0", b"-1", b"1e999", b"NaN", b"9" * 5000, b"18446744073709551616", b"1.2.3", b"null",
    b"true", b"[[]]", b"\xc2\xb2", b"\xd9\xa3", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xff", b"\xc3", b"\x1b[2J",
    b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"PK\x05\x06", b"PK\x01\x02", b"\x28\xb5\x2f\xfd",
    b"con", b"a" * 300, b"v1.2.3",
)  # fmt: skip
_MOST_CHANGES = 6
# Longer pieces find nothing new, and one input would take as long as thousands of others.
_LONGEST_PIECE = 64 * 1024


def mutated(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Any bytes, or one of these with some changes."""
    return st.binary(max_size=200) | st.builds(
        _changed, st.sampled_from(seeds), st.lists(_change(seeds), min_size=1, max_size=_MOST_CHANGES)
    )


def _change(seeds: Sequence[bytes]) -> st.SearchStrategy[tuple[float, float, bytes]]:
    piece = st.builds(
        lambda seed, start, end: seed[int(start * len(seed)) : int(end * len(seed))],
        st.sampled_from(seeds), st.floats(0, 1), st.floats(0, 1),
    )  # fmt: skip
    long = st.builds(
        lambda token, times: (token * times)[:_LONGEST_PIECE], st.sampled_from(_TOKENS), st.integers(2, 500)
    )
    share = st.just(0.0) | st.floats(0, 0.1)
    return st.tuples(st.floats(0, 1), share, st.sampled_from(_TOKENS) | piece | long | st.binary(max_size=8))


def _changed(data: bytes, changes: Sequence[tuple[float, float, bytes]]) -> bytes:
    for place, share, added in changes:
        at = int(place * len(data))
        data = data[:at] + added + data[at + int(share * len(data)) :]
    return data
