"""A Report as a job summary: as in tests/golden/, and foreign text stays text."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.errors import DownloadError
from go_prefetch.render.markdown import markdown
from go_prefetch.results import Completed, Saved
from tests.fakes.reports import REPORTS, A, plan, report
from tests.golden_files import assert_golden

HOSTILE = {
    "table": "a | b",
    "row": "a |\n| b",
    "heading": "\n# heading",
    "html": "<img src=x onerror=alert(1)>",
    "comment": "<!-- hidden",
    "entity": "&lt;b&gt;",
    "link": "[click](https://evil.example)",
    "image": "![x](https://evil.example/x.png)",
    "code": "`code` ``more``",
    "fence": "```\n# out",
    "emphasis": "**bold** _it_ ~~gone~~",
    "math": "$x$",
    "escape": "\\| \\\\| \\`",
    "rule": "\n---\n",
    "carriage return": "a\rb\r\nc",
    "other line ends": "a\u2028b\x0bc\x0cd\x85e",
}


@pytest.mark.parametrize("name", REPORTS)
def test_markdown(name: str) -> None:
    assert_golden(f"report_{name}.md", markdown(REPORTS[name]))


def _with(text: str) -> str:
    return markdown(report(plan(A), saved=Saved(because_not=text), warnings=(text,)))


def _is_escaped(line: str) -> bool:
    """Whether every character that Markdown or HTML could read is behind a backslash."""
    return not re.search(r"[`*_\[\]<>|~&#!$]", re.sub(r"\\[!-/:-@\[-`{-~]", "", line))


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in HOSTILE.items()])
def test_foreign_text_stays_text(text: str) -> None:
    """One cell of one row, one item of the list, and nothing in them that is not a letter to Markdown."""
    lines = _with(text).splitlines()
    assert len(lines) == len(_with("plain").splitlines())
    (cell,) = (line.removeprefix("| saved | nothing: ").removesuffix(" |") for line in lines if "| saved |" in line)
    assert _is_escaped(cell)
    assert _is_escaped(lines[-1].removeprefix("- "))


@given(st.text() | st.text("`\\|<>\n*_[]!#&$ab"))
@settings(deadline=None)
def test_any_foreign_text_is_one_line(text: str) -> None:
    lines = _with(f"x{text}").splitlines()
    assert len(lines) == len(_with("plain").splitlines())
    assert _is_escaped(lines[-1].removeprefix("- "))


@given(st.text() | st.text("`~ \n\ta"))
@settings(deadline=None)
def test_a_failures_words_do_not_leave_their_fence(words: str) -> None:
    error = DownloadError("proxy-unavailable", words, hint="Try again.")
    shown = markdown(report(plan(A), completed=Completed(failure=error), warnings=("the end",)))
    inside = shown.partition("```text\n")[2]
    assert re.search(r"^ {0,3}`{3,}", inside, re.MULTILINE)
    assert re.split(r"^ {0,3}`{3,}", inside, maxsplit=1, flags=re.MULTILINE)[1].strip() == "- the end"


def test_ten_warnings_are_shown_and_the_others_counted() -> None:
    many = dataclasses.replace(REPORTS["exact"], warnings=tuple(f"warning {n}" for n in range(25)))
    items = [line for line in markdown(many).splitlines() if line.startswith("- ")]
    assert len(items) == 11
    assert items[-1] == "- and 15 more warnings"


@pytest.mark.parametrize("name", REPORTS)
def test_no_password_is_shown(name: str) -> None:
    assert "hunter2" not in markdown(REPORTS[name])
