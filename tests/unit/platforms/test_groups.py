"""Sections of the log: one line needs none."""

from __future__ import annotations

import io

import pytest

from go_prefetch.errors import notice
from go_prefetch.platforms import detect

GITHUB = {"GITHUB_ACTIONS": "true"}
GITLAB = {"CI_JOB_ID": "1", "CI_PROJECT_DIR": "/project"}


def log(environ: dict[str, str], *lines: str) -> str:
    stream = io.StringIO()
    platform = detect(environ, stream, stream)
    with platform.group("Restore"):
        for line in lines:
            platform.info(line)
    platform.info("after")
    return stream.getvalue()


@pytest.mark.parametrize("environ", [GITHUB, GITLAB, {}])
def test_group_with_one_line_is_one_line(environ: dict[str, str]) -> None:
    assert log(environ, "2 files") == "Restore: 2 files\nafter\n"


@pytest.mark.parametrize("environ", [GITHUB, GITLAB, {}])
def test_group_without_a_line_is_nothing(environ: dict[str, str]) -> None:
    assert log(environ) == "after\n"


def test_group_with_two_lines_is_folded() -> None:
    assert log(GITHUB, "one", "two") == "::group::Restore\none\ntwo\n::endgroup::\nafter\n"
    start, one, two, end, after, rest = log(GITLAB, "one", "two").split("\n")
    assert (one, two, after, rest) == ("one", "two", "after", "")
    assert "section_start" in start
    assert "section_end" in end


def test_warning_in_a_group_comes_at_once_without_a_group() -> None:
    stream = io.StringIO()
    platform = detect({}, stream, stream)
    with platform.group("Restore"):
        platform.warn(notice("stale-objects"))
        assert "[stale-objects]" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_annotation_has_no_empty_property(capsys: pytest.CaptureFixture[str]) -> None:
    detect(GITHUB, io.StringIO(), io.StringIO()).warn(notice("stale-objects"))
    assert capsys.readouterr().out.startswith("::warning title=go-prefetch::")


@pytest.mark.parametrize(("more", "draws"), [({}, True), ({"ACT": "true"}, False)])
def test_mermaid_is_for_github_and_not_for_act(more: dict[str, str], *, draws: bool) -> None:
    """A summary is Markdown that act prints."""
    platform = detect({**GITHUB, **more}, io.StringIO(), io.StringIO())
    assert platform.draws_mermaid is draws


def test_title_of_two_lines_is_no_command() -> None:
    """Titles are ours. One that quoted foreign text would still be no command."""
    stream = io.StringIO()
    platform = detect(GITHUB, stream, stream)
    with platform.group("Restore\n::add-mask::x"):
        platform.info("one")
        platform.info("two")
    assert "\n::add-mask::" not in stream.getvalue()
