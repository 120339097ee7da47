"""Shapes of go.mod and go.work texts; tests/contract/test_gomod_against_go.py compares with Go itself."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.errors import GoSumError
from go_prefetch.golang.gomod import (
    Dependency,
    GoMod,
    GoWork,
    Replace,
    go_line_at_least,
    parse_dependency,
    parse_gomod,
    parse_gowork,
)
from go_prefetch.golang.module import ModuleVersion
from tests.support.notices import facts

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = """\
// Deprecated: use example.com/new instead.
module example.com/app // the application

//go:debug panicnil=1
go 1.23.0

toolchain go1.24.1

require example.com/one v1.0.0

require (
	example.com/two/v2 v2.3.4 // indirect

	// a comment of its own
	"example.com/three" v0.0.0-20240102030405-abcdef123456
	example.com/four master
)

exclude example.com/one v0.9.0

replace (
	example.com/one => ../one
	example.com/two/v2 v2.3.4 => example.com/fork/v2 v2.3.5
)

retract (
	v1.0.0
	[v1.1.0, v1.2.0] // broken
)

tool example.com/two/v2/cmd/gen
ignore ./node_modules
godebug default=go1.21
"""


def test_a_go_mod_with_every_directive() -> None:
    assert parse_gomod(FULL, "go.mod") == GoMod(
        module="example.com/app",
        go="1.23.0",
        toolchain="go1.24.1",
        requires=(
            ModuleVersion("example.com/one", "v1.0.0"),
            ModuleVersion("example.com/two/v2", "v2.3.4"),
            ModuleVersion("example.com/three", "v0.0.0-20240102030405-abcdef123456"),
            ModuleVersion("example.com/four", "master"),
        ),
        replaces=(
            Replace("example.com/one", "", "../one", ""),
            Replace("example.com/two/v2", "v2.3.4", "example.com/fork/v2", "v2.3.5"),
        ),
        excludes=(ModuleVersion("example.com/one", "v0.9.0"),),
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("go 1.22\nrequire a.com/b v1.2.3", Dependency("m", "1.22", (ModuleVersion("a.com/b", "v1.2.3"),))),
        ("require (\n\ta.com/b v1 // indirect\n)", Dependency("m", "", (ModuleVersion("a.com/b", "v1.0.0"),))),
        ("require a.com/b v1.2.3+meta", Dependency("m", "", (ModuleVersion("a.com/b", "v1.2.3"),))),
        (
            "require a.com/b v2.0.0+incompatible",
            Dependency("m", "", (ModuleVersion("a.com/b", "v2.0.0+incompatible"),)),
        ),
        ("go v1.17", Dependency("m", "1.17", ())),
        ("go 1.18.x", Dependency("m", "1.18", ())),
        ("tomorrow ( a )\nreplace nonsense\nexclude nonsense\nuse", Dependency("m", "", ())),
    ],
)
def test_go_mod_of_a_dependency_is_read_leniently(lines: str, expected: Dependency) -> None:
    assert parse_dependency(f"module m\n{lines}\n", "go.mod") == expected


@pytest.mark.parametrize("text", ["go 1.22\n", "module m\nrequire a.com/b master\n", "module m\ngo next\n"])
def test_malformed_go_mod_of_a_dependency_is_refused(text: str) -> None:
    with pytest.raises(GoSumError):
        parse_dependency(text, "go.mod")


@pytest.mark.parametrize("newline", ["\r\n", "\n\n", " \t\n"], ids=["crlf", "blank-lines", "trailing-blanks"])
def test_line_ends_make_no_difference(newline: str) -> None:
    assert parse_gomod(FULL.replace("\n", newline), "go.mod") == parse_gomod(FULL, "go.mod")


def test_a_missing_newline_at_the_end_makes_no_difference() -> None:
    assert parse_gomod(FULL.rstrip("\n"), "go.mod") == parse_gomod(FULL, "go.mod")


def test_a_go_mod_with_nothing_but_its_module() -> None:
    assert parse_gomod("module m", "go.mod") == GoMod("m", "", "", (), ())


def test_a_go_work() -> None:
    text = (
        "go 1.22\ntoolchain go1.22.3\nuse .\nuse (\n\t./api // API\n\t`../x y`\n)\nreplace a => /srv/a\ngodebug x=1\n"
    )
    assert parse_gowork(text, "go.work") == GoWork("1.22", (".", "./api", "../x y"), (Replace("a", "", "/srv/a", ""),))


def test_an_empty_go_work() -> None:
    assert parse_gowork("", "go.work") == GoWork("", (), ())


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        parse_gomod("module m", "go.mod").go = "1.22"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("m", "m"),
        ('"m"', "m"),
        ("`m`", "m"),
        (r'"\x6d"', "m"),
        (r'"\155"', "m"),
        (r'"\u006d\U0000006d"', "mm"),
        (r'"\xc3\xa9"', "é"),
        (r'"\303\251"', "é"),
        (r'"é\u00e9"', "éé"),
        (r'"a\"b\\c\td"', 'a"b\\c\td'),
        (r"`a\x6d`", r"a\x6d"),
        ('"a // b"', "a // b"),
        ("m//comment", "m"),
        ("a/b//comment", "a/b"),
        ("(\n\tm\n)", "m"),
    ],
)
def test_spellings_of_a_string(written: str, path: str) -> None:
    assert parse_gomod(f"module {written}\n", "go.mod").module == path


@pytest.mark.parametrize(
    "folder",
    [".", "..", "./x", "../x", "/x", ".\\x", "..\\x", "\\x", "C:\\x", "c:/x"],
)
def test_a_folder_in_any_notation_needs_no_version(folder: str) -> None:
    assert parse_gomod(f"module m\nreplace a => {folder}", "go.mod").replaces == (Replace("a", "", folder, ""),)


@pytest.mark.parametrize(
    "ignored",
    [
        "retract [v1.0.0, v1.1.0]",
        "retract (\n\t[v1.0.0, v1.1.0]\n\tv1.2.0 // why\n)",
        "tool (\n\ta/cmd\n\tb/cmd\n)",
        "ignore ./x",
        "godebug (\n\ta=b\n)",
        "require ()",
        "require (\n)",
        "require ( // nothing\n) // at all",
    ],
)
def test_what_the_plan_does_not_need_is_skipped(ignored: str) -> None:
    assert parse_gomod(f"module m\n{ignored}\ngo 1.22\n", "go.mod") == GoMod("m", "1.22", "", (), ())


@pytest.mark.parametrize("later", ["tomorrow's directive { a, b }", "tomorrow x y (\n\ta b c d\n\t( e )\n)"])
def test_directive_of_a_later_go_is_skipped_and_noted(later: str) -> None:
    text = f"module m\n{later}\ngo 1.22\n"
    assert parse_gomod(text, "go.mod") == GoMod("m", "1.22", "", (), (), has_unknown_directive=True)
    assert parse_gowork(later, "go.work").has_unknown_directive


def test_a_repeated_exclusion_counts_once() -> None:
    lines = "module m\nexclude a.com/b v1.0.0\nexclude (\n\ta.com/c v1.0.0\n\ta.com/b v1.0.0\n)\n"
    expected = (ModuleVersion("a.com/b", "v1.0.0"), ModuleVersion("a.com/c", "v1.0.0"))
    assert parse_gomod(lines, "go.mod").excludes == expected


def test_the_last_replacement_of_a_version_counts() -> None:
    text = "module m\nreplace a => ./1\nreplace a v1.0.0 => ./2\nreplace a => ./3\n"
    assert set(parse_gomod(text, "go.mod").replaces) == {
        Replace("a", "", "./3", ""),
        Replace("a", "v1.0.0", "./2", ""),
    }


# name: (what follows "module m" on line 1, the line the message must name, a part of the message)
MALFORMED = {
    "byte order mark": ("\n\ufeffgo 1.22", 2, "unexpected '\\ufeff"),
    "control character": ("\nrequire a\x01b v1.0.0", 2, "unexpected"),
    "form feed": ("\nrequire a\fv1.0.0", 2, "unexpected '\\x0c'"),
    "no-break space": ("\nrequire a\u00a0v1.0.0", 2, "unexpected '\\xa0'"),
    "block comment": ("\n/* no */", 2, "unexpected '/*'"),
    "block comment inside a word": ("\nrequire a/*b v1.0.0", 2, "unexpected 'a/*b'"),
    "string without an end": ('\nrequire "a v1.0.0', 2, "unterminated string"),
    "string over two lines": ('\nrequire "a\n" v1.0.0', 2, "unterminated string"),
    "raw string without an end": ("\nrequire `a v1.0.0", 2, "unterminated string"),
    "string ending in a backslash": ('\nrequire "a\\" v1.0.0', 2, "unterminated string"),
    "unknown escape": ('\nrequire "\\q" v1.0.0', 2, "bad string"),
    "escaped single quote": ('\nrequire "\\\'" v1.0.0', 2, "bad string"),
    "escaped surrogate": ('\nrequire "\\ud800" v1.0.0', 2, "bad string"),
    "escape beyond Unicode": ('\nrequire "\\U00110000" v1.0.0', 2, "bad string"),
    "octal escape beyond a byte": ('\nrequire "\\400" v1.0.0', 2, "bad string"),
    "single quotes": ("\nrequire 'a' v1.0.0", 2, "bad string"),
    "quote inside a word": ('\nrequire a"b" v1.0.0', 2, "bad string"),
    "empty version": ('\nrequire a ""', 2, "bad string"),
    "block without an end": ("\n\nrequire (\n\ta v1.0.0\n", 3, "require block that starts here is never closed"),
    "unknown block without an end": ("\nfoo (\n", 2, "foo block that starts here is never closed"),
    "text after a block": ("\nrequire (\n\ta v1.0.0\n) b v1.0.0", 4, "unexpected ) b v1.0.0"),
    "block with text before it": ("\nrequire a (\n\tv1.0.0\n)", 2, "unexpected a ( after require"),
    "empty block with text before it": ("\nreplace a ()", 2, "unexpected a ( ) after replace"),
    "block with a second parenthesis": ("\nrequire ( (\n)", 2, "unexpected ( ( after require"),
    "closing parenthesis without a block": ("\n)", 2, "unexpected )"),
    "opening parenthesis without a verb": ("\n(\n)", 2, "unexpected ("),
    "bracket without a verb": ("\n[v1.0.0]", 2, "unexpected ["),
    "second module": ("\nmodule n", 2, "repeated module line"),
    "module without a path": (" n", 1, "expected: module module/path"),
    "go without a version": ("\ngo", 2, "expected: go 1.23.0"),
    "second go": ("\ngo 1.22\ngo 1.23", 3, "repeated go line"),
    "go version with a v": ("\ngo v1.22", 2, "invalid go version v1.22"),
    "go version of one number": ("\ngo 1", 2, "invalid go version 1"),
    "toolchain with two names": ("\ntoolchain go1.22.0 go1.23.0", 2, "expected: toolchain"),
    "require without a version": ("\nrequire a", 2, "expected: require"),
    "require with two versions": ("\nrequire a v1.0.0 v1.1.0", 2, "expected: require"),
    "require with its block in one line": ("\nrequire ( a v1.0.0 )", 2, "expected: require"),
    "require line in a require block": ("\nrequire (\n\trequire a v1.0.0\n)", 3, "expected: require"),
    "replace without an arrow": ("\nreplace a ./b", 2, "expected: replace"),
    "replace with a quoted arrow": ('\nreplace a "=>" ./b', 2, "expected: replace"),
    "replace by nothing": ("\nreplace a =>", 2, "expected: replace"),
    "replace with two versions": ("\nreplace a v1.0.0 v1.1.0 => ./b", 2, "expected: replace"),
    "replace by too much": ("\nreplace a => b v1.0.0 v1.1.0", 2, "expected: replace"),
    "replace by a module without a version": ("\nreplace a => b", 2, "a module needs a version"),
    "replace by path@version": ("\nreplace a => b@v1.0.0", 2, "a module needs a version"),
    "replace by a hidden folder": ("\nreplace a => .b", 2, "a module needs a version"),
    "replace by a folder with a version": ("\nreplace a => ./b v1.0.0", 2, "a folder starts with"),
    "conflict marker": ("\nrequire (\n<<<<<<< HEAD\n\ta v1.0.0\n=======\n", 3, "unresolved merge conflict: <<<<<<<"),
    "conflict separator": ("\n=======\n", 2, "unresolved merge conflict: ======="),
    "conflict base": ("\n||||||| 1234567\n", 2, "unresolved merge conflict: |||||||"),
    "conflict end": ("\n>>>>>>> branch\r\n", 2, "unresolved merge conflict: >>>>>>>"),
    "NUL byte": ("\nrequire a\0 v1.0.0", 2, "NUL byte"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_go_mod(name: str) -> None:
    rest, line, problem = MALFORMED[name]
    with pytest.raises(GoSumError) as caught:
        parse_gomod(f"module m{rest}", "sub/go.mod")
    assert caught.value.slug == "go-mod-malformed"
    assert (facts(caught.value)["source"], facts(caught.value)["number"]) == ("sub/go.mod", line)
    assert problem in facts(caught.value)["problem"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no module line"),
        ("go 1.22\n", "there is no module line"),
        ("module", "expected: module module/path"),
        ('module ""', 'bad string "" in a module line'),
        ('"module" m', "there is no module line"),
        ("module m // \0", "NUL byte; not a UTF-8 text"),
    ],
)
def test_a_go_mod_without_a_module(text: str, problem: str) -> None:
    with pytest.raises(GoSumError) as caught:
        parse_gomod(text, "go.mod")
    assert (facts(caught.value)["number"], facts(caught.value)["problem"]) == (1, problem)


# name: (the text, the line the message must name, a part of the message)
MALFORMED_WORK = {
    "use without a folder": ("go 1.22\nuse", 2, "expected: use"),
    "use of two folders": ("go 1.22\nuse ./a ./b", 2, "expected: use"),
    "use block with text before it": ("use a (\n)", 1, "unexpected a ( after use"),
    "use block without an end": ("go 1.22\n\nuse (\n\t.\n", 3, "use block that starts here is never closed"),
    "second go": ("go 1.22\ngo 1.22", 2, "repeated go line"),
    "bad go version": ("go latest", 1, "invalid go version latest"),
    "replace by a module without a version": ("replace a => b", 1, "a module needs a version"),
    "conflict marker": ("<<<<<<< HEAD\nuse .\n", 1, "unresolved merge conflict"),
}


@pytest.mark.parametrize("name", MALFORMED_WORK)
def test_malformed_go_work(name: str) -> None:
    text, line, problem = MALFORMED_WORK[name]
    with pytest.raises(GoSumError) as caught:
        parse_gowork(text, "go.work")
    assert caught.value.slug == "go-mod-malformed"
    assert (facts(caught.value)["source"], facts(caught.value)["number"]) == ("go.work", line)
    assert problem in facts(caught.value)["problem"]


@pytest.mark.parametrize(
    ("go", "minor", "expected"),
    [
        ("1.17", 17, True),
        ("1.16", 17, False),
        ("1.9", 17, False),
        ("1.21.0", 21, True),
        ("1.21rc1", 21, True),
        ("1.20.14", 21, False),
        ("2.0", 21, True),
        ("", 16, True),
        ("", 17, False),
    ],
)
def test_go_line_at_least(go: str, minor: int, expected: bool) -> None:
    assert go_line_at_least(go, 1, minor) is expected


@pytest.mark.parametrize("go", ["latest", "1", "1.21\n", "v1.21", "\u0661.21"])
def test_go_line_at_least_wants_a_go_version(go: str) -> None:
    with pytest.raises(ValueError, match="not a Go version"):
        go_line_at_least(go, 1, 21)


def test_go_line_with_thousands_of_digits_is_newer() -> None:
    """Python turns no such text into a number. Go compares it."""
    long = parse_gomod(f"module m\n\ngo 1.{'9' * 5000}\n", "go.mod").go
    assert go_line_at_least(long, 1, 21)


VERBS = ["module", "go", "toolchain", "require", "replace", "retract", "use", "tool"]
WORDS = ["m", "v1.0.0", "1.22", "./x", "=>", "(", ")", "[", ",", "]", "{", "}", "/*", "<<<<<<<", "é"]
STRINGS = ['"m"', r'"\x6d"', r'"\U0000006d"', r'"\ud800"', r'"\xff"', "`m`", r'"\"', '"', "`", "\\"]
BLANKS = ["\n", "\r\n", "(\n", "\n)\n", "// c\n", "\t", "\ufeff", "\u2028", "\x00", "\ud800"]
SOUP = st.lists(st.sampled_from([*VERBS, *WORDS, *STRINGS, *BLANKS]), max_size=40).map(" ".join)


@pytest.mark.parametrize("parse", [parse_gomod, parse_gowork])
@given(text=st.one_of(st.text(), SOUP, SOUP.map(lambda soup: "module m\n" + soup)))
@settings(deadline=None)
def test_any_text_is_read_or_refused(parse: Callable[[str, str], object], text: str) -> None:
    refusal = None
    try:
        parse(text, "file")
    except GoSumError as error:
        refusal = error
    assert refusal is None or (refusal.slug == "go-mod-malformed" and facts(refusal)["source"] == "file")


def test_an_endless_line_is_refused() -> None:
    """Reading it would take a hundred times as much memory."""
    with pytest.raises(GoSumError) as caught:
        parse_gomod(f"module example.com/m\nrequire {'a' * 100_000}", "go.mod")
    assert facts(caught.value)["number"] == 2
