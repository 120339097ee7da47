"""Inputs as typed values, and passwords that stay where they belong."""

from __future__ import annotations

import sys
from pathlib import Path, PurePath

import pytest

from go_prefetch.config.inputs import TABLE
from go_prefetch.config.settings import read_settings, user_cache_folder
from go_prefetch.errors import InputError

CWD = Path("/proj")
HOME = {"HOME": "/home/me", "LOCALAPPDATA": "/home/me/.cache"}  # the second one is for Windows


def test_the_defaults() -> None:
    settings = read_settings({}, HOME, CWD)
    assert settings.cwd == CWD
    assert settings.working_directory == (".",)
    assert (settings.jobs.text, settings.deadline, settings.attempts) == ("auto", 600.0, 4)
    assert settings.report_file is None


@pytest.mark.parametrize(
    ("text", "on_windows", "elsewhere"), [("auto", False, True), ("true", True, True), ("false", False, False)]
)
def test_quarantine_is_off_on_windows_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, text: str, on_windows: bool, elsewhere: bool
) -> None:
    settings = read_settings({"quarantine": text}, HOME, CWD)
    for platform, expected in (("win32", on_windows), ("linux", elsewhere), ("darwin", elsewhere)):
        monkeypatch.setattr(sys, "platform", platform)
        assert settings.uses_quarantine == expected


def test_working_directories_one_a_line() -> None:
    settings = read_settings({"working-directory": "one\n\n  two/* \n"}, HOME, CWD)
    assert settings.working_directory == ("one", "two/*")
    assert settings.shown["working-directory"] == "one\ntwo/*"


@pytest.mark.parametrize(
    ("text", "path"), [("report.json", "/proj/report.json"), ("../r.json", "/proj/../r.json"), ("/tmp/r", "/tmp/r")]
)
def test_the_report_file_is_relative_to_the_working_directory(text: str, path: str) -> None:
    assert read_settings({"report-file": text}, HOME, CWD).report_file == Path(path)


def test_paths_of_a_build_cache_are_variables() -> None:
    settings = read_settings({}, HOME, CWD)
    assert (settings.build_cache_state, settings.build_cache_carried) == (None, None)
    environ = {**HOME, "GO_PREFETCH_BUILD_CACHE_STATE": "/tmp/state.json", "GO_PREFETCH_BUILD_CACHE_CARRIED": "folder"}
    settings = read_settings({}, environ, CWD)
    assert (settings.build_cache_state, settings.build_cache_carried) == (Path("/tmp/state.json"), CWD / "folder")


@pytest.mark.parametrize(
    ("store", "pool"),
    [
        ("dir:/srv/pool", "/srv/pool"),
        ("dir:pool", "/proj/pool"),
        ("dir: pool", "/proj/ pool"),
        (r"dir:D:\a\_temp/pool", str(CWD / r"D:\a\_temp/pool")),  # on Windows an absolute path
        ("none", None),
    ],
)
def test_the_pool(store: str, pool: str | None) -> None:
    """`dir:` ends at its colon, whatever colons follow."""
    assert read_settings({"store": store}, HOME, CWD).store.pool == (None if pool is None else Path(pool))


def test_by_default_the_pool_is_in_the_users_cache_folder() -> None:
    folder = user_cache_folder(HOME)
    assert folder
    assert read_settings({}, HOME, CWD).store.pool == folder / "go-prefetch" / "pool"


def test_a_pool_below_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/other")
    monkeypatch.setenv("USERPROFILE", "/home/other")
    assert read_settings({"store": "dir:~/pool"}, HOME, CWD).store.pool == Path("/home/other/pool")


@pytest.mark.skipif(sys.platform == "win32", reason="it guesses the folder of a user")
def test_a_pool_below_the_home_of_nobody_is_an_input_error() -> None:
    with pytest.raises(InputError) as caught:
        read_settings({"store": "dir:~no-such-user-here/pool"}, HOME, CWD)
    assert (caught.value.slug, caught.value.notice.case) == ("input-invalid", "path")
    assert dict(caught.value.notice.facts)["text"] == "dir:~no-such-user-here/pool"


def test_a_store_is_shown_as_it_was_written() -> None:
    assert read_settings({"store": "dir:~/pool"}, HOME, CWD).shown["store"] == "dir:~/pool"


def test_without_a_home_there_is_no_pool() -> None:
    assert read_settings({}, {}, CWD).store.pool is None


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        pytest.param("linux", {"HOME": "/home/me"}, "/home/me/.cache", id="linux"),
        pytest.param("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "/var/c"}, "/var/c", id="linux, XDG"),
        pytest.param("linux", {"XDG_CACHE_HOME": "/var/c"}, "/var/c", id="linux, XDG without home"),
        pytest.param("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "c"}, "/home/me/.cache", id="linux, relative XDG"),
        pytest.param("linux", {}, None, id="linux, nothing"),
        pytest.param("darwin", {"HOME": "/Users/me"}, "/Users/me/Library/Caches", id="macOS"),
        pytest.param("darwin", {"HOME": "/U", "XDG_CACHE_HOME": "/c"}, "/U/Library/Caches", id="macOS, XDG"),
        pytest.param("darwin", {}, None, id="macOS, nothing"),
        pytest.param("win32", {"LocalAppData": "C:/me/Local"}, "C:/me/Local", id="Windows"),
        pytest.param("win32", {"LOCALAPPDATA": "C:/me/Local"}, "C:/me/Local", id="Windows, as Python spells it"),
        pytest.param("win32", {"HOME": "/home/me"}, None, id="Windows, nothing"),
    ],
)  # fmt: skip
def test_the_users_cache_folder_is_that_of_go(platform: str, environ: dict[str, str], folder: str | None) -> None:
    if platform == "linux" and "XDG_CACHE_HOME" in environ and sys.platform == "win32":
        pytest.skip("a path without a drive is not absolute there")
    found = user_cache_folder(environ, platform)
    assert (found and PurePath(found)) == (None if folder is None else PurePath(folder))


def test_password_is_not_shown() -> None:
    """Neither in a report's settings nor in the repr that a traceback or a log might hold."""
    goproxy = "https://u:pw-input@a.example|https://b.example"
    environ = {"INPUT_GOPROXY": goproxy, "HTTPS_PROXY": "http://u:pw-proxy@squid.example"}
    settings = read_settings({}, {**HOME, **environ}, CWD)
    assert settings.goproxy == goproxy
    assert settings.shown["goproxy"] == "https://u:xxxxx@a.example|https://b.example"
    for text in (repr(settings), str(settings), repr(settings.shown)):
        assert "pw-" not in text


def test_everything_asked_for_is_shown() -> None:
    shown = read_settings({"deadline": "1m30s", "summary": "false", "report-file": "r.json"}, HOME, CWD).shown
    assert shown.keys() == {row.name for row in TABLE}
    assert (shown["deadline"], shown["summary"], shown["report-file"]) == ("90s", "false", str(CWD / "r.json"))
    assert all(isinstance(text, str) for text in shown.values())


def test_login_of_a_store_is_in_no_text() -> None:
    settings = read_settings({}, {"GO_PREFETCH_STORE_LOGIN": "user:secret"}, Path("/project"))
    assert settings.store_login == "user:secret"
    assert "secret" not in f"{settings}{settings.shown}"


@pytest.mark.parametrize("text", ["Bearer t0ken", "t\u00f6ken", "user:pass\nword"])
def test_login_of_a_store_that_is_wrong_is_not_quoted(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_settings({}, {"GO_PREFETCH_STORE_LOGIN": text}, Path("/project"))
    assert text not in str(caught.value.notice.facts)


@pytest.mark.parametrize("url", ["https://user:s3cret@pool.example/go", "dir:/front https://s3cret@pool.example"])
def test_store_with_a_login_is_refused_with_advice(url: str) -> None:
    with pytest.raises(InputError) as caught:
        read_settings({"store": url}, {}, Path("/project"))
    assert (caught.value.slug, caught.value.notice.case) == ("input-invalid", "login")
    assert "s3cret" not in str(caught.value.notice.facts)
