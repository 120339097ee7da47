"""Module paths and versions: what may become a file name or a URL, and what is private.

tests/contract/test_module_against_go.py compares with golang.org/x/mod itself.
"""

from __future__ import annotations

import string
import warnings
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from go_prefetch.golang import module
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion

ACCEPTED = {
    "plain": ("example.com/a", "v1.2.3"),
    "host only": ("example.com", "v0.1.0"),
    "upper case behind the host": ("github.com/BurntSushi/toml", "v1.4.0"),
    "dash, dot, underscore, tilde": ("a-b.example/c_d/e~f.g-h", "v0.0.1"),
    "leading dash behind the host": ("example.com/-a", "v1.0.0"),
    "leading tilde": ("example.com/~user/a", "v1.0.0"),
    "tilde without digits": ("example.com/a~b", "v1.0.0"),
    "tilde and digits behind a dot": ("example.com/a.b~1", "v1.0.0"),
    "nearly a reserved name": ("example.com/con1/com0/auxx", "v1.0.0"),
    "major 2": ("example.com/a/v2", "v2.0.0"),
    "major 10": ("example.com/a/v10", "v10.1.2"),
    "major inside the path": ("example.com/v1/a", "v1.0.0"),
    "v without number": ("example.com/v", "v1.0.0"),
    "digits that are no major": ("example.com/a2", "v1.0.0"),
    "major glued to a word": ("example.com/av2", "v1.0.0"),
    "incompatible": ("example.com/a", "v2.0.0+incompatible"),
    "incompatible v1": ("example.com/a", "v1.0.0+incompatible"),
    "pseudo-version": ("example.com/a", "v0.0.0-20191109021931-daa7c04131f5"),
    "pre-release": ("example.com/a", "v1.0.0-rc.1"),
    "gopkg.in": ("gopkg.in/yaml.v3", "v3.0.1"),
    "gopkg.in with user": ("gopkg.in/user/pkg.v1", "v1.0.0"),
    "gopkg.in v0": ("gopkg.in/pkg.v0", "v0.1.0"),
    "gopkg.in unstable": ("gopkg.in/pkg.v2-unstable", "v2.0.0"),
    "gopkg.in v1, old pseudo-version": ("gopkg.in/check.v1", "v0.0.0-20161208181325-20d25e280405"),
    "gopkg.in itself": ("gopkg.in", "v1.0.0"),
    "toolchain": ("golang.org/toolchain", "v0.0.1-go1.21.0.linux-amd64"),
}
REFUSED = {
    "empty path": ("", "v1.0.0"),
    "no dot in the first element": ("example/a", "v1.0.0"),
    "upper case in the first element": ("Example.com/a", "v1.0.0"),
    "underscore in the first element": ("ex_ample.com/a", "v1.0.0"),
    "tilde in the first element": ("exa~mple.com/a", "v1.0.0"),
    "port": ("example.com:80/a", "v1.0.0"),
    "leading dash": ("-example.com/a", "v1.0.0"),
    "leading dot": (".example.com/a", "v1.0.0"),
    "leading dot behind the host": ("example.com/.git", "v1.0.0"),
    "trailing dot": ("example.com/a./b", "v1.0.0"),
    "dot": ("example.com/./a", "v1.0.0"),
    "parent": ("example.com/../a", "v1.0.0"),
    "parent first": ("../example.com", "v1.0.0"),
    "parent last": ("example.com/..", "v1.0.0"),
    "absolute": ("/example.com/a", "v1.0.0"),
    "double slash": ("example.com//a", "v1.0.0"),
    "trailing slash": ("example.com/a/", "v1.0.0"),
    "backslash": (r"example.com\a", "v1.0.0"),
    "colon": ("example.com/c:", "v1.0.0"),
    "at": ("example.com/a@v1", "v1.0.0"),
    "exclamation mark": ("example.com/!a", "v1.0.0"),
    "percent": ("example.com/%2e%2e", "v1.0.0"),
    "plus": ("example.com/a+b", "v1.0.0"),
    "blank": ("example.com/a b", "v1.0.0"),
    "newline": ("example.com/a\n", "v1.0.0"),
    "newline behind a gopkg.in major": ("gopkg.in/a.v1\n", "v1.0.0"),
    "NUL": ("example.com/a\0", "v1.0.0"),
    "not ASCII": ("example.com/é", "v1.0.0"),
    "digits that are not ASCII": ("example.com/a/v٢", "v2.0.0"),
    "case that folds to ASCII": ("example.com/\u212aon", "v1.0.0"),  # the Kelvin sign
    "reserved on Windows": ("example.com/con/a", "v1.0.0"),
    "reserved, other case": ("example.com/NuL", "v1.0.0"),
    "reserved, with suffix": ("example.com/aux.h", "v1.0.0"),
    "reserved, numbered": ("example.com/com1/lpt9", "v1.0.0"),
    "reserved first": ("con.example/a", "v1.0.0"),
    "short name on Windows": ("example.com/foo~1", "v1.0.0"),
    "short name with suffix": ("example.com/foo~12.txt", "v1.0.0"),
    "short name of nothing": ("example.com/~1", "v1.0.0"),
    "major 1": ("example.com/a/v1", "v1.0.0"),
    "major 0": ("example.com/a/v0", "v0.1.0"),
    "major with leading zero": ("example.com/a/v02", "v2.0.0"),
    "major with dot": ("example.com/a/v2.1", "v2.1.0"),
    "major missing in the path": ("example.com/a", "v2.0.0"),
    "major missing in the version": ("example.com/a/v2", "v1.0.0"),
    "majors differ": ("example.com/a/v2", "v3.0.0"),
    "gopkg.in without major": ("gopkg.in/yaml", "v1.0.0"),
    "gopkg.in with slash major": ("gopkg.in/yaml/v2", "v2.0.0"),
    "gopkg.in, leading zero": ("gopkg.in/yaml.v02", "v2.0.0"),
    "gopkg.in, majors differ": ("gopkg.in/yaml.v2", "v3.0.0"),
    "gopkg.in unstable v0": ("gopkg.in/pkg.v0-unstable", "v0.1.0"),
    "gopkg.in unstable without number": ("gopkg.in/pkg.v-unstable", "v1.0.0"),
    "gopkg.in v2, old pseudo-version": ("gopkg.in/a.v2", "v0.0.0-20161208181325-20d25e280405"),
    "empty version": ("example.com/a", ""),
    "version v1": ("example.com/a", "v1"),
    "version v1.2": ("example.com/a", "v1.2"),
    "version without v": ("example.com/a", "1.2.3"),
    "branch": ("example.com/a", "master"),
    "metadata": ("example.com/a", "v1.2.3+meta"),
    "version with a path": ("example.com/a", "v1.0.0/../../x"),
    "version with go.mod": ("example.com/a", "v1.0.0/go.mod"),
}


def _named(cases: dict[str, tuple[str, str]]) -> list[object]:
    return [pytest.param(*case, id=name) for name, case in cases.items()]


@pytest.mark.parametrize(("path", "version"), _named(ACCEPTED))
def test_check_accepts(path: str, version: str) -> None:
    assert module.check(path, version) == ""


@pytest.mark.parametrize(("path", "version"), _named(REFUSED))
def test_check_refuses_and_says_why(path: str, version: str) -> None:
    assert module.check(path, version)


_elements = st.text("abAB01.-_~", min_size=1, max_size=4) | st.sampled_from(
    ["..", "", "con", "a~1", "C:", r"..\x", "é"]
)
_paths = st.builds(
    lambda host, rest, end: "/".join([host, *rest]) + end,
    st.sampled_from(["example.com", "gopkg.in", "a.b", "..", "Example.com"]),
    st.lists(_elements, max_size=2),
    st.sampled_from(["", "", "/v2", ".v1", ".v2-unstable", "/v02"]),
)
_versions = st.builds(
    "v{}.{}.0{}".format,
    st.integers(0, 2),
    st.sampled_from([0, 1, "01", ""]),
    st.sampled_from(["", "-A", "-a", "-a.1", "-0.A", "+incompatible", "/.."]),
)
_modules = st.builds(ModuleVersion, _paths, _versions)
many = settings(deadline=None)


@given(_modules)
@many
def test_an_accepted_module_stays_below_its_folder(version: ModuleVersion) -> None:
    """On POSIX and on Windows: no parent, no drive, nothing that a shell or a file system reads otherwise."""
    if module.check(*version):
        return
    name = ModuleFile(version, "zip").name
    for flavour in (PurePosixPath, PureWindowsPath):
        inside = flavour(name)
        assert not inside.is_absolute()
        assert not inside.drive
        assert ".." not in inside.parts
        assert "/".join(inside.parts) == name
        assert not any(part.endswith((".", " ")) for part in inside.parts)
    assert not set(name) & set('\\:*?"<>|\0\n')
    assert not {part.partition(".")[0] for part in name.split("/")} & {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(_modules, st.integers(0))
@many
def test_two_modules_never_share_a_file_whatever_the_case(one: ModuleVersion, flips: int) -> None:
    """A file system that ignores case keeps apart what Go keeps apart."""
    if module.check(*one):
        return
    flipped = "".join(c.swapcase() if flips >> i & 1 else c for i, c in enumerate(str(one)))
    other = ModuleVersion(*flipped.split("@"))
    if other != one and not module.check(*other):
        assert ModuleFile(one, "mod").name.lower() != ModuleFile(other, "mod").name.lower()


def test_the_generated_modules_are_accepted_and_refused_in_turn() -> None:
    """The two properties above are about something."""
    find(_modules, lambda version: not module.check(*version) and "!" in ModuleFile(version, "zip").name)
    find(_modules, lambda version: bool(module.check(*version)))


@given(st.text(string.ascii_letters + string.digits + "-._~/"))
@settings(deadline=None)
def test_escape_can_be_undone(text: str) -> None:
    escaped = module.escape(text)
    assert escaped == escaped.lower()
    undone = "".join(part if i == 0 else part[0].upper() + part[1:] for i, part in enumerate(escaped.split("!")))
    assert undone == text


def test_a_module_version_reads_as_go_writes_it() -> None:
    assert str(ModuleVersion("example.com/a", "v1.0.0")) == "example.com/a@v1.0.0"


PATTERNS = {
    "the path itself": ("corp.example/a", "corp.example/a", True),
    "a prefix": ("corp.example", "corp.example/a/b", True),
    "no prefix of elements": ("corp.example/a", "corp.example/ab", False),
    "more elements than the path": ("corp.example/a/b", "corp.example/a", False),
    "another host": ("corp.example", "other.example/corp.example", False),
    "case counts": ("corp.example/A", "corp.example/a", False),
    "star": ("*.corp.example", "git.corp.example/a", True),
    "star is one element": ("*.example", "a/b.example", False),
    "star does not match a slash": ("corp*a", "corp.example/a", False),
    "star may be nothing": ("corp.example*", "corp.example/a", True),
    "star element": ("corp.example/*/b", "corp.example/a/b/c", True),
    "star element, other": ("corp.example/*/b", "corp.example/a/c", False),
    "question mark": ("corp.example/?", "corp.example/a", True),
    "question mark is one character": ("corp.example/?", "corp.example/ab", False),
    "class": ("corp.example/[ab]", "corp.example/b", True),
    "class, other": ("corp.example/[ab]", "corp.example/c", False),
    "range": ("corp.example/[a-z]", "corp.example/q", True),
    "range, other": ("corp.example/[a-z]", "corp.example/Q", False),
    "range backwards": ("corp.example/[z-a]", "corp.example/q", False),
    "range backwards, negated": ("corp.example/[^z-a]", "corp.example/q", True),
    "negated": ("corp.example/[^x]", "corp.example/a", True),
    "negated, other": ("corp.example/[^x]", "corp.example/x", False),
    "negated by an exclamation mark is not": ("corp.example/[!x]", "corp.example/a", False),
    "caret in a class": ("corp.example/[a^]", "corp.example/a", True),
    "bracket in a class": ("corp.example/[[]a", "corp.example/a", False),
    "escaped bracket in a class": (r"corp.example/[\]a]b", "corp.example/ab", True),
    "escaped dash in a class": (r"corp.example/[a\-z]", "corp.example/q", False),
    "twice a dash": ("corp.example/[a--b]", "corp.example/a", False),
    "what Python would read as a set": ("corp.example/[a&&b||c~~d]", "corp.example/b", True),
    "escape": (r"corp.example/\a", "corp.example/a", True),
    "escaped star": (r"corp.example/\*", "corp.example/a", False),
    "escaped slash": (r"corp.example\/a", "corp.example/a", True),
    "dot is a dot": ("corp.example", "corpxexample/a", False),
    "many stars, in no more time than few": ("*a" * 40 + "b", "a" * 200, False),
    "trailing slash": ("corp.example/", "corp.example/a", True),
    "two trailing slashes": ("corp.example//", "corp.example/a", False),
    "slash": ("/", "corp.example", False),
    "empty": ("", "corp.example", False),
    "empty entries": (",,", "corp.example", False),
    "second of a list": ("a.example,corp.example", "corp.example/a", True),
    "blank is part of the pattern": ("a.example, corp.example", "corp.example/a", False),
    "malformed is skipped": ("[,corp.example", "corp.example/a", True),
    "malformed: open class": ("corp.example/[a", "corp.example/a", False),
    "malformed: empty class": ("corp.example/[]a]", "corp.example/a", False),
    "malformed: empty negated class": ("corp.example/[^]a]", "corp.example/b", False),
    "malformed: dash first": ("corp.example/[-a]", "corp.example/a", False),
    "malformed: dash last": ("corp.example/[a-]", "corp.example/a", False),
    "malformed: escape of nothing": ("corp.example/a\\", "corp.example/a", False),
}


@pytest.mark.parametrize(
    ("patterns", "path", "matches"), [pytest.param(*case, id=name) for name, case in PATTERNS.items()]
)
def test_matches_prefix_patterns(patterns: str, path: str, matches: bool) -> None:
    assert module.matches_prefix_patterns(patterns, path) is matches


@given(st.text() | st.text("[]^-\\*?a/,"), _paths)
@settings(deadline=None)
def test_any_pattern_is_understood(patterns: str, path: str) -> None:
    """Whatever stands in GOPRIVATE, it neither raises nor warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module.matches_prefix_patterns(patterns, path)


@given(st.text(string.ascii_letters + "-._~", min_size=1, max_size=20))
@settings(deadline=None)
def test_a_name_without_special_characters_matches_itself_only(name: str) -> None:
    assert module.matches_prefix_patterns(name, f"{name}/a")
    assert not module.matches_prefix_patterns(name, f"{name}x/a")
