"""Which toolchain Go switches to."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.golang.gomod import go_lines
from go_prefetch.golang.toolchain import (
    GoLines,
    ToolchainRules,
    is_unchecked,
    name_of,
    toolchain,
    version_key,
    version_of,
)

ORDERED = ["1", "1.9", "1.20rc1", "1.20", "1.20.1", "1.21", "1.21rc1", "1.21rc2", "1.21.0", "1.21.9", "1.21.10", "1.22"]
NO_VERSION = ["", "2", "go1.21", "1.21.", "1.21.0rc1", "01.2", "1.02", "1.21-x", "1.٣", "1." + "9" * 9]


def test_version_key_of_versions_sorts_them_as_go_does() -> None:
    """A language version is older than its candidates, and these than its releases."""
    keys = [version_key(version) for version in ORDERED]
    assert None not in keys
    assert keys == sorted(filter(None, keys))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("text", NO_VERSION)
def test_version_key_of_other_text_is_none(text: str) -> None:
    """Go knows no such version."""
    assert version_key(text) is None


NAMES = {
    "go1.22.3": "1.22.3",
    "go1.22.3-custom": "1.22.3",
    "go1.22.3 X:boringcrypto": "1.22.3",
    "gccgo-go1.20": "1.20",
    "1.22.3": "",
    "devel go1.27-abcdef": "",
    "../go1.22.3": "",
    "go": "",
}


@pytest.mark.parametrize(("name", "version"), NAMES.items())
def test_version_of_a_name_is_its_version(name: str, version: str) -> None:
    """Suffixes do not count, and a path is no name."""
    assert version_of(name) == version


# GOTOOLCHAIN, the go line, the toolchain line, and the toolchain that go1.26.8 downloads.
CHOICES = [
    ("auto", "1.26.8", "", ""),
    ("auto", "1.21", "go1.26.8", ""),
    ("auto", "1.21", "", ""),
    ("auto", "", "", ""),
    ("auto", "1.27.3", "", "go1.27.3"),
    ("auto", "1.27", "", "go1.27.0"),
    ("auto", "1.27rc1", "", "go1.27rc1"),
    ("auto", "1.21", "go1.27.3", "go1.27.3"),
    ("auto", "1.28.1", "go1.27.3", "go1.28.1"),
    ("auto", "1.27.0", "go1.27.3", "go1.27.3"),
    ("auto", "1.27.0", "go1.27.3-custom", "go1.27.3-custom"),
    ("auto", "1.99", "default", ""),
    ("auto", "1.99", "nonsense", ""),
    ("local", "1.99", "go1.99.0", ""),
    ("path", "1.99", "", ""),
    ("local+auto", "1.99.1", "", "go1.99.1"),
    ("local+path", "1.99.1", "", ""),
    ("go1.27.3", "1.99", "", "go1.27.3"),
    ("go1.25.0", "1.21", "", "go1.25.0"),
    ("go1.26.8", "1.99", "", ""),
    ("go1.27.3+auto", "1.21", "", "go1.27.3"),
    ("go1.27.3+auto", "1.28.0", "", "go1.28.0"),
    ("go1.27.3+auto", "1.28.0", "default", "go1.27.3"),
    ("go1.27.3+path", "1.28.0", "", ""),
    ("go1.27.3+other", "1.28.0", "", ""),
    ("bash", "1.99", "", ""),
    ("go1.27.3/../../x", "1.99", "", ""),
    ("", "1.99", "", ""),
]


@pytest.mark.parametrize(("switch", "go", "line", "name"), CHOICES)
def test_rules_select_the_toolchain_that_go_downloads(switch: str, go: str, line: str, name: str) -> None:
    """By https://go.dev/doc/toolchain#select."""
    wanted = ToolchainRules(switch, "go1.26.8", "linux/amd64", "/nowhere").wanted(GoLines(go, line))
    assert wanted == (toolchain(name, "linux/amd64") if name else None)


def test_rules_of_a_development_version_compare_its_language() -> None:
    """It is older than the release."""
    rules = ToolchainRules("auto", "devel go1.27-abcdef Mon", "linux/amd64", "/nowhere")
    assert rules.wanted(GoLines("1.27", "")) is None
    assert rules.wanted(GoLines("1.27.0", "")) == toolchain("go1.27.0", "linux/amd64")


def test_rules_with_that_toolchain_on_path_select_none(tmp_path: Path) -> None:
    """Go runs it, and downloads nothing."""
    for name in ("go1.99.0", "go1.99.0.exe"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    assert ToolchainRules("auto", "go1.26.8", "linux/amd64", str(tmp_path)).wanted(GoLines("1.99.0", "")) is None


def test_toolchain_of_a_name_is_its_module_version() -> None:
    """The version names system and architecture."""
    found = toolchain("go1.27.3", "darwin/arm64")
    assert str(found) == "golang.org/toolchain@v0.0.1-go1.27.3.darwin-arm64"
    assert found is not None
    assert name_of(found) == "go1.27.3 (darwin/arm64)"


@pytest.mark.parametrize("name", ["", "bash", "go1.27.3/x", "go1.27.3+x", "go1 27", "go1.27.3\n", "go2.0"])
def test_toolchain_of_another_name_is_none(name: str) -> None:
    """It would become a path and a URL."""
    assert toolchain(name, "linux/amd64") is None


@pytest.mark.parametrize("platform", ["", "linux", "linux/amd64/v3", "../amd64", "Linux/amd64", "linux/"])
def test_toolchain_for_another_platform_is_none(platform: str) -> None:
    """It would become a path and a URL."""
    assert toolchain("go1.27.3", platform) is None


@pytest.mark.parametrize(
    ("goproxy", "unchecked"),
    [
        ("file:///proxy", True),
        (" file:///proxy", True),
        ("file:///proxy,off", False),
        ("file:///proxy|https://proxy.example", False),
        ("https://proxy.example", False),
        ("off", False),
    ],
)
def test_is_unchecked_for_a_lone_folder_only(goproxy: str, unchecked: bool) -> None:
    """Go then skips the checksum database."""
    assert is_unchecked(goproxy, {}) is unchecked


def test_is_unchecked_for_the_agent_of_the_proxy_itself() -> None:
    """The public proxy fetches toolchains with this variable, and Go does not check them there."""
    assert is_unchecked("https://proxy.example", {"GIT_HTTP_USER_AGENT": "x proxy.golang.org y"})


def test_go_lines_of_a_file_are_the_first_of_each() -> None:
    """Go finds them before it reads the file, whatever else is wrong in it."""
    text = "mod x )\r\n\tgo 1.27.3 // why\r\ntoolchain\tgo1.28.0\ngo 1.30\ntoolchains go1.31\ngolang 1\n"
    assert go_lines(text) == GoLines("1.27.3", "go1.28.0")


def test_go_lines_of_a_file_without_them_are_empty() -> None:
    """As for a go.mod of old."""
    assert go_lines("module x\n\n// go 1.27\n") == GoLines()
