"""A report over many runs: what is foreign in it stays text, whatever it is and wherever it is shown."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.errors import notice
from go_prefetch.history.formats.documents import json_document, markdown, text
from go_prefetch.history.formats.html_page import page
from go_prefetch.history.formats.number_format import UNKNOWN, clock, difference, duration, percent
from go_prefetch.history.model import History, JobRecord, ObservedRun, Selection, WorkflowRun
from go_prefetch.history.report import HistoryReport, Limits, history_report
from go_prefetch.render.record import parse_record
from tests.support.fakes import records

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
HOSTILE = [
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "a | b", "`x` ``y``", "x\n# heading\n- list",
    "::error::x", "##[error]x", "</style><b>", "&lt;b&gt;", "[a](javascript:x)", "@everyone #1 :tada:", "\u202eright",
    "</svg></title><script>", "\x1b[31mred", "--> ]]> <!--",
]  # fmt: skip
TAGS = frozenset(re.findall("[a-z0-9]+", """
    html head meta title style body main header h1 h2 p section div b span i figure figcaption svg g line text polyline
    circle rect table thead tbody tr th td
"""))  # fmt: skip


def made(word: str = "ci", *, days: int = 20, **changed: object) -> HistoryReport:
    """A report in which every foreign text is `word`."""
    texts = {"reason": word, "failure": word, "store": word, "os": word, "go": word, "key": word, "result": "miss"}
    record = parse_record(records.line(**{**texts, **changed}))
    assert record is not None
    seen = []
    for number in range(days):
        created = START + timedelta(days=number)
        run = WorkflowRun(
            number, 1, f"{word}{number % 2}", "ci.yml", word, "push", f"{number:040x}", "success", created, created,
            created + timedelta(seconds=90), created, word,
        )  # fmt: skip
        seen.append(ObservedRun(run, (JobRecord(word, record),), "unreadable" if number == 3 else "read", word))
    incomplete = notice("api-refused", "no-log", api=word)
    history = History(f"acme/{word}", word, "main", Selection(None, 10**5, (word,), (word,)), tuple(seen),
                      START + timedelta(days=days), None, incomplete, (word,))  # fmt: skip
    return history_report(history, Limits(0.9, 1.0, 0.0), (START + timedelta(days=days / 2), word))


def test_estimates_are_shown_apart_everywhere() -> None:
    report = made(days=3, seconds_saved=60.0, seconds_saved_is_minimum=True, seconds_saved_estimate=20.0)
    for shown in (text(report), markdown(report), page(report)):
        assert "at least 3 min 0 s saved" in shown
        assert "about 60 s saved in 3 partial hits (estimate)" in shown.replace("`", "")
        assert "not in the sum above" in shown
    values = json.loads(json_document(report))["prefetching"]
    assert (values["seconds_saved"], values["seconds_saved_estimate"]) == (180.0, 60.0)


def test_deployments_have_the_unit_that_fits() -> None:
    assert "1.0 a day: 20 commits on the default branch succeeded in 20 days" in text(made("main"))


class Page(HTMLParser):
    """What a browser would see: elements, attributes, text; it fails where the page is not well nested."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.shown: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


@pytest.mark.parametrize("word", HOSTILE)
def test_a_page_has_no_elements_but_ours(word: str) -> None:
    html = page(made(word))
    parsed = Page(html)
    assert parsed.open == []
    assert parsed.tags <= TAGS
    assert not [name for name in parsed.attributes if name.startswith("on") or name in ("href", "src", "style")]
    assert word in "".join(parsed.shown)
    assert "Content-Security-Policy" in html


def test_a_page_names_nothing_elsewhere() -> None:
    html = page(made())
    assert not re.search(r"https?://|url\(|@import|<script|<link", html)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60))
def test_any_text_in_every_format(word: str) -> None:
    """Lines stay lines, tables stay tables, JSON stays JSON; all of it is fit for UTF-8."""
    report = made(word.encode(errors="replace").decode() or "x", days=3)
    parsed = Page(page(report))
    assert parsed.tags <= TAGS
    assert json.loads(json_document(report))["schema"] == 1
    said, marked = text(report), markdown(report)
    plain, plain_marked = text(made("x", days=3)), markdown(made("x", days=3))
    assert len(said.splitlines()) == len(plain.splitlines())
    assert len(marked.splitlines()) == len(plain_marked.splitlines())
    (said + marked + page(report)).encode()


@pytest.mark.parametrize("word", HOSTILE)
def test_tables_keep_their_columns_in_markdown(word: str) -> None:
    for line in markdown(made(word)).splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)
            assert len(cells) in (4, 5, 6, 7, 8)
        assert not line.lstrip().startswith(("::", "##["))


def test_a_report_about_nothing() -> None:
    history = History("acme/x", "", "main", Selection(None, 10), (), START)
    report = history_report(history, Limits(), None)
    for form in (text, markdown, page, json_document):
        assert "acme/x" in form(report)
    assert "no go-prefetch run" in text(report)


def test_huge_figures_are_still_figures() -> None:
    """The most that a record may claim, many times over."""
    report = made(seconds=1e9, modules=1 << 53, bytes_restored=1 << 53, failed_attempts=1 << 53, seconds_saved=-1e9)
    for form in (text, markdown, page, json_document):
        assert "inf" not in re.findall(r"\binf\b", form(report))


@given(st.floats(0, 1))
def test_only_all_is_100_percent(share: float) -> None:
    assert (percent(share) == "100%") == (share == 1)
    assert (percent(share) == "0%") == (share == 0)


@pytest.mark.parametrize(
    ("taken", "shown"),
    [(None, UNKNOWN), (4.21, "4.2 s"), (135, "2 min 15 s"), (-135, "-2 min 15 s"), (7300, "2 h 1 min")],
)
def test_durations(taken: float | None, shown: str) -> None:
    assert duration(taken) == shown


@pytest.mark.parametrize(("taken", "shown"), [(0, "0 s"), (20, "20 s"), (60, "1 min"), (1200, "20 min"), (7200, "2 h")])
def test_scales_have_short_names(taken: float, shown: str) -> None:
    assert clock(taken) == shown


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [(None, 1, UNKNOWN), (0, 1, UNKNOWN), (100, 50, "-50%"), (50, 100, "+100%"), (1000, 1001, "same")],
)
def test_differences(before: float | None, after: float | None, shown: str) -> None:
    assert difference(before, after) == shown
