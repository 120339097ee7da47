"""go.sum as Go writes it, as people and editors leave it, and as an attacker would."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.errors import GoSumError
from go_prefetch.golang.gosum import GoSumLine, parse_gosum
from go_prefetch.golang.module import ModuleVersion
from tests.support.notices import facts

A_ZIP = "example.com/a v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
A_MOD = "example.com/a v1.0.0/go.mod h1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
B_ZIP = "github.com/BurntSushi/toml v2.0.0+incompatible h1:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA="
TEXT = f"{A_ZIP}\n{A_MOD}\n{B_ZIP}\n"
LINES = (
    GoSumLine(ModuleVersion("example.com/a", "v1.0.0"), "zip", "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    GoSumLine(ModuleVersion("example.com/a", "v1.0.0"), "mod", "h1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="),
    GoSumLine(
        ModuleVersion("github.com/BurntSushi/toml", "v2.0.0+incompatible"),
        "zip",
        "h1:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA=",
    ),
)
EMPTY_GO_MOD = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="


def test_a_zip_line_and_a_mod_line() -> None:
    found = parse_gosum(TEXT.encode(), "go.sum")
    assert found.lines == LINES
    assert [line.text for line in found.lines] == TEXT.splitlines()
    assert found.ignored == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT.replace("\n", "\r\n"), id="crlf"),
        pytest.param(TEXT.rstrip("\n"), id="no newline at the end"),
        pytest.param("\n \n" + TEXT.replace("\n", "\n\n\t\n"), id="blank lines"),
        pytest.param(TEXT.replace(" ", "  \t").replace("\n", " \n"), id="more blanks"),
        pytest.param(TEXT + TEXT, id="every line twice"),
    ],
)
def test_blanks_and_repetitions_make_no_difference(text: str) -> None:
    found = parse_gosum(text.encode(), "go.sum")
    assert found.lines == LINES
    assert found.ignored == ()


def test_order_is_kept_and_does_not_change_the_set_of_lines() -> None:
    backwards = "\n".join(reversed(TEXT.splitlines()))
    assert parse_gosum(backwards.encode(), "go.sum").lines == tuple(reversed(LINES))


def test_two_hashes_for_one_version_are_two_lines() -> None:
    found = parse_gosum(
        f"{A_ZIP}\nexample.com/a v1.0.0 h1:ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZA=\n".encode(), "go.sum"
    )
    assert [line.module for line in found.lines] == [ModuleVersion("example.com/a", "v1.0.0")] * 2


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\t\n"])
def test_an_empty_file_has_no_lines(data: bytes) -> None:
    found = parse_gosum(data, "go.sum")
    assert (found.lines, found.ignored) == ((), ())


@pytest.mark.parametrize(
    ("bad", "slug", "says"),
    [
        pytest.param(b"example.com/a v1.0.0", "go-sum-malformed", "2 fields", id="two fields"),
        pytest.param(b"example.com/a v1.0.0 h1:A= h1:B=", "go-sum-malformed", "4 fields", id="four fields"),
        pytest.param(b"x", "go-sum-malformed", "1 field,", id="one field"),
        pytest.param(b"example.com/a v1.0.0 h1:A=", "go-sum-malformed", "32 bytes", id="short hash"),
        pytest.param(b"example.com/a v1.0.0/go.mod h1:" + b"A" * 44, "go-sum-malformed", "32 bytes", id="long hash"),
        pytest.param(b"example.com/a v1.0.0 h1:" + b"A" * 42 + b"B=", "go-sum-malformed", "32 bytes", id="loose bits"),
        pytest.param(b"example.com/\0a v1.0.0 h1:A=", "go-sum-malformed", "NUL", id="NUL"),
        pytest.param("example.com/a v1.0.0 h1:A=".encode("utf-16-le"), "go-sum-malformed", "NUL", id="UTF-16"),
        pytest.param(b"<<<<<<< HEAD", "go-sum-conflict", "", id="conflict, ours"),
        pytest.param(b"||||||| 1234567", "go-sum-conflict", "", id="conflict, base"),
        pytest.param(b"=======", "go-sum-conflict", "", id="conflict, middle"),
        pytest.param(b">>>>>>> branch", "go-sum-conflict", "", id="conflict, theirs"),
        pytest.param(b">>>>>>> a branch", "go-sum-conflict", "", id="conflict of three fields"),
    ],
)
def test_a_damaged_line_is_an_error_that_names_file_and_line(bad: bytes, slug: str, says: str) -> None:
    with pytest.raises(GoSumError) as caught:
        parse_gosum(TEXT.encode() + b"\n" + bad + b"\n" + TEXT.encode(), "sub/go.sum")
    assert caught.value.slug == slug
    assert facts(caught.value)["where"] == "sub/go.sum:5"
    assert says in facts(caught.value).get("problem", "")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("example.com/c v1.0.0 h2:AAAA=", id="unknown hash"),
        pytest.param("example.com/c v1.0.0 AAAA=", id="no kind of hash"),
        pytest.param("../../x v1.0.0 h1:A=", id="parent"),
        pytest.param("example.com/../../x v1.0.0 h1:A=", id="parent inside"),
        pytest.param("/etc v1.0.0 h1:A=", id="absolute"),
        pytest.param(r"example.com\a v1.0.0 h1:A=", id="backslash"),
        pytest.param("c:/x v1.0.0 h1:A=", id="drive"),
        pytest.param("example.com/con v1.0.0 h1:A=", id="reserved name"),
        pytest.param("example.com/a v1.0.0/../../x h1:A=", id="version with a path"),
        pytest.param("example.com/a v1.0.0/go.mod/go.mod h1:A=", id="go.mod twice"),
        pytest.param("example.com/a v1.0 h1:A=", id="version not canonical"),
        pytest.param("example.com/a v2.0.0 h1:A=", id="major mismatch"),
        pytest.param("example.com/a master h1:A=", id="branch"),
        pytest.param("\ufeffexample.com/a v1.0.0 h1:A=", id="byte order mark"),
        pytest.param("example.com/\udcff v1.0.0 h1:A=", id="not UTF-8"),
        pytest.param("example.com/a v1.0.0\udcff h1:A=", id="version not UTF-8"),
    ],
)
def test_unusable_line_is_ignored_with_a_warning(line: str) -> None:
    text = f"{A_ZIP}\n{line}\n{A_MOD}\n{B_ZIP}"
    found = parse_gosum(text.encode(errors="surrogateescape"), "go.sum")
    assert found.lines == LINES
    assert len(found.ignored) == 1
    (one,) = found.ignored
    assert one.slug == "go-sum-line-ignored"
    assert (dict(one.facts)["source"], dict(one.facts)["number"]) == ("go.sum", 2)


def test_many_ignored_lines_are_one_warning() -> None:
    found = parse_gosum(b"example.com/a master h1:A=\n" * 1000, "go.sum")
    (one,) = found.warnings
    assert (one.case, dict(one.facts)["count"]) == ("lines", 1000)
    assert [dict(line.facts)["number"] for line in dict(one.facts)["lines"]] == list(range(1, 1001))  # type: ignore[attr-defined]
    assert parse_gosum(b"example.com/a master h1:A=", "go.sum").warnings[0].case == ""


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(f"example.com/c v1.0.0/go.mod {EMPTY_GO_MOD}", id="hash of an empty go.mod"),
        pytest.param("golang.org/toolchain v0.0.1-go1.21.0.linux-amd64 h1:A=", id="toolchain"),
        pytest.param("golang.org/toolchain v0.0.1-go1.21.0.linux-amd64/go.mod h1:A=", id="go.mod of a toolchain"),
    ],
)
def test_what_go_skips_is_skipped_in_silence(line: str) -> None:
    found = parse_gosum(f"{line}\n{TEXT}".encode(), "go.sum")
    assert (found.lines, found.ignored) == (LINES, ())


def test_twenty_megabytes_are_read() -> None:
    count = 20_000
    digest = f"{' ' * 960}h1:{'A' * 43}="
    text = "".join(f"example.com/m{n % 50}/package v1.{n}.0/go.mod {digest}\n" for n in range(count))
    assert len(text) > 20_000_000
    assert len(parse_gosum(text.encode(), "go.sum").lines) == count


_line = st.sampled_from([A_ZIP, A_MOD, B_ZIP, "=======", "../x v1.0.0 h1:A=", f"a.b v1.0.0 {EMPTY_GO_MOD}", "a b"])


@given(st.binary() | st.text().map(str.encode) | st.lists(_line).map(lambda lines: "\r\n".join(lines).encode()))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """A GoSumError or lines whose text reads back as themselves: nothing else comes out."""
    try:
        found = parse_gosum(data, "go.sum")
    except GoSumError:
        return
    again = parse_gosum("\n".join(line.text for line in found.lines).encode(), "go.sum")
    assert again.lines == found.lines
    assert again.ignored == ()
