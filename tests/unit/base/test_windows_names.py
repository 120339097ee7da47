"""Long paths, and names that Windows takes for something else. Compared with the standard library's Windows paths."""

from __future__ import annotations

import ntpath
from pathlib import PureWindowsPath

import pytest

from go_prefetch.base.windows_names import extended, is_entry_name

DEEP = "\\".join(["folder"] * 40)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (rf"C:\{DEEP}\file", rf"\\?\C:\{DEEP}\file"),
        (rf"C:/{DEEP}/file", rf"\\?\C:\{DEEP}\file"),
        (rf"C:\{DEEP}\..\file", rf"\\?\C:\{DEEP.rpartition(chr(92))[0]}\file"),
        (rf"\\server\share\{DEEP}", rf"\\?\UNC\server\share\{DEEP}"),
        (rf"\\?\C:\{DEEP}", rf"\\?\C:\{DEEP}"),
        (rf"D:{DEEP}", rf"D:{DEEP}"),
        (DEEP, DEEP),
        (r"C:\short", r"C:\short"),
    ],
)
def test_extended_gives_long_absolute_paths_the_prefix(path: str, expected: str) -> None:
    assert extended(path, windows=True) == expected
    assert extended(path, windows=False) == path


def test_extended_path_stays_the_same_place() -> None:
    path = PureWindowsPath(rf"C:\{DEEP}\x\@v\v1.0.0.zip")
    longer = PureWindowsPath(extended(str(path), windows=True))
    assert longer.is_absolute()
    assert longer.parts[1:] == path.parts[1:]
    assert ntpath.splitdrive(str(longer))[0].endswith("C:")


@pytest.mark.parametrize(
    "name",
    [
        "CON",
        "nul",
        "aux.txt",
        "com1",
        "LPT9.tar.gz",
        "COM¹",
        "conin$",
        "prn .txt",
        "a.",
        "a ",
        "a:b",
        "C:",
        "a*",
        "a|b",
        "a\tb",
    ],
)
def test_names_that_windows_changes_are_none_there(name: str) -> None:
    assert not is_entry_name(name, windows=True)
    assert is_entry_name(name, windows=False)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b"])
def test_names_that_lead_elsewhere_are_none_anywhere(name: str) -> None:
    assert not is_entry_name(name, windows=True)
    assert not is_entry_name(name, windows=False)


@pytest.mark.parametrize(
    "name", ["v1.0.0.zip", "!azure", "console", "auxiliary.go", "com10", ".gitignore", "@v", "ä.go", "a b"]
)
def test_other_names_are_names_everywhere(name: str) -> None:
    assert is_entry_name(name, windows=True)
    assert not PureWindowsPath(name).is_reserved()


@pytest.mark.parametrize("name", ["CON", "nul", "aux.txt", "com1", "LPT9.tar.gz"])
def test_devices_are_those_of_the_standard_library(name: str) -> None:
    assert PureWindowsPath(name).is_reserved()
