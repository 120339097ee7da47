"""A Report as a job summary: as in its snapshots, and foreign text stays text in GitHub's own Markdown renderer."""

from __future__ import annotations

import dataclasses
from collections import Counter
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from go_prefetch.errors import DownloadError, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion, check
from go_prefetch.model.report import Report
from go_prefetch.model.results import (
    Admitted,
    Completed,
    Deferral,
    Downloaded,
    FailedAttempt,
    Failure,
    Fetched,
    Rejection,
    Restored,
    RestoredEntry,
    Saved,
    Source,
)
from go_prefetch.render.escape import cell, code, fenced, prose
from go_prefetch.render.markdown import markdown
from tests.support.fakes.reports import A, files_of, plan, report
from tests.support.fakes.summaries import ALL
from tests.support.snapshots import MarkdownFile

HOSTILE = {
    "more backticks than a block may have": f"a\n{'`' * 300}\n<img src=x> [link](https://evil.example)",
    "the beginning of an address, at the end of a sentence": "see www. It",
    "more backticks than code may have": f"[{'`' * 90}](https://evil.example) {'`' * 90} <img src=x>",
    "table": "a | b",
    "row": "a |\n| b",
    "escaped pipe": "a \\| b \\\\| c\\",
    "heading": "\n# heading",
    "html": "<img src=x onerror=alert(1)>",
    "end of the fold": "</details></summary><script>alert(1)</script>",
    "comment": "<!-- hidden",
    "entity": "&lt;b&gt;&#x3c;",
    "link": "[click](https://evil.example)",
    "address": "https://evil.example www.evil.example a@evil.example xmpp:a@b.example",
    "image": "![x](https://evil.example/x.png)",
    "reference": "\n[x]: https://evil.example\n",
    "code": "`code` ``more`` ```",
    "one tick": "`",
    "fence": "```\n# out\n~~~",
    "mermaid": '```mermaid\ngantt\nclick a href "https://evil.example"\n```',
    "directive": "%%{init: {'securityLevel': 'loose'}}%%",
    "emphasis": "**bold** _it_ ~~gone~~ *",
    "math": "$x$ $$y$$",
    "names": "@everyone #1 org/repo#1 GH-1 !1 ~bug %1 :tada: 0123456789abcdef0123456789abcdef01234567",
    "command": "::error::x\n::set-output name=x::y",
    "rule": "\n---\n===\n",
    "list": "1. a\n- b\n+ c",
    "quote": "> a",
    "carriage return": "a\rb\r\nc",
    "other line ends": "a\u2028b\x0bc\x0cd\x85e",
    "right to left": "a\u202eb\u2066c",
    "surrogate": "a\udcffb",
    "long": "x" * 10_000 + "|`",
}
# The elements a summary has of its own accord.
OURS = {
    "a", "p", "strong", "ul", "li", "details", "summary", "pre", "code", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_markdown(snapshot: SnapshotAssertion, name: str) -> None:
    assert markdown(ALL[name], mermaid=True) == snapshot(extension_class=MarkdownFile)


@pytest.mark.parametrize("name", ["job_exact", "job_miss", "failed", "present"])
def test_markdown_where_no_mermaid_is_drawn(snapshot: SnapshotAssertion, name: str) -> None:
    """GitLab draws 2,000 characters of it a page, and an artifact is shown as it is: bars of text."""
    assert markdown(ALL[name], mermaid=False) == snapshot(extension_class=MarkdownFile)


class _Elements(HTMLParser):
    """Counts elements, and keeps the text outside of code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.words: list[str] = []
        self._code = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.links |= {str(value) for name, value in attrs if name == "href"}
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.words += data.split()


def rendered(text: str) -> _Elements:
    """As GitHub renders it, before it looks for what is dangerous: raw HTML is passed through."""
    extensions = ["table", "autolink", "strikethrough", "tasklist"]
    html = cmarkgfm.markdown_to_html_with_extensions(text, options=Options.CMARK_OPT_UNSAFE, extensions=extensions)
    return _Elements(html)


def _with(text: str) -> Report:
    """A report with foreign text in every place that takes any."""
    odd = ModuleVersion(f"x{text}".encode(errors="replace").decode(), "v1.0.0")  # go.sum is UTF-8
    held = RestoredEntry(f"key{text}", held=frozenset({"example.com/gone/@v/v1.0.0.zip", f"{text}/@v/v1.0.0.zip"}))
    fetched = tuple(
        Fetched(ModuleFile(odd, kind), text, 1, False, 1.0, (FailedAttempt("", text),)) for kind in ("zip", "mod")
    )
    return report(
        plan(A, odd),
        restored=Restored(
            f"pool{text}",
            files_of(A),
            1,
            1.0,
            entry=held,
            skipped_reason=notice("store-not-allowed", "in-words", words=text),
            warnings=(notice("trees-unchecked", cause=notice("inconclusive", "stubs", words=text)),),
        ),
        downloaded=Downloaded(
            files={f.file: f.source for f in fetched},
            sources=(Source(f"proxy{text}", 1, 1, 1),),
            failures=(Failure(ModuleFile(odd, "info"), not_found=False, attempts=(FailedAttempt(text, text),)),),
            fetched=fetched,
        ),
        admitted=Admitted(deferred_to_go={Deferral.NO_ROOM: 1}),
        completed=Completed(
            rejected=(Rejection(ModuleFile(A, "mod"), text, text),),
            failure=DownloadError("folder-unwritable", place=f"place{text}", words=f"words{text}"),
        ),
        saved=Saved(skipped_reason=notice("store-not-allowed", "in-words", words=text), key=f"saved{text}"),
        goversion=f"go{text}",
        notes=(notice("trees-unchecked", cause=notice("inconclusive", "stubs", words=f"one{text}")),),
    )


_LEADS_ELSEWHERE = ("@", "#", "://", "www.", "$", "<", "`", "~", "[", "!")
_HARMLESS = rendered(markdown(_with("harmless"), mermaid=True))


def _is_harmless(text: str) -> bool:
    """The same elements as with harmless text, but for code; none that is not ours; and no words that lead anywhere."""
    shown = rendered(markdown(_with(text), mermaid=True))
    same = {tag: count for tag, count in shown.counts.items() if tag not in ("code", "p")}
    return (
        set(shown.counts) <= OURS
        and shown.attributes <= {"align", "lang", "class", "href"}
        and shown.links == _HARMLESS.links
        and same == {tag: count for tag, count in _HARMLESS.counts.items() if tag not in ("code", "p")}
        and not any(mark in word for word in shown.words for mark in _LEADS_ELSEWHERE)
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_foreign_text_stays_text(text: str) -> None:
    """No element, link, image or reference comes of it, in whichever place it turns up."""
    assert _is_harmless(text)


@given(
    st.text(min_size=1)
    | st.text("`\\|<>\n*_[]!#&$@:/.-+=~ab1 (){}", min_size=1)
    | st.lists(st.sampled_from([*HOSTILE.values()]), min_size=1).map("".join)
)
@settings(deadline=None, max_examples=50)
def test_any_foreign_text_stays_text(text: str) -> None:
    assume(text.strip())  # nothing at all is not quoted at all
    assume(check(text, "v1.0.0"))  # and a module path would be one more line in what changed
    assert _is_harmless(text[:5000])


@given(st.text() | st.text("`\\|<> \n*@#a"))
@settings(deadline=None)
def test_code_says_what_it_was_given(text: str) -> None:
    """Alone in a cell of a table: the same characters, but for white space and what cannot be seen."""
    html = cmarkgfm.markdown_to_html_with_extensions(f"| a |\n|---|\n| {cell(code(text))} |\n", extensions=["table"])
    parser = _Text(html)
    assert parser.text.split() == [
        "a",
        *"".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split())).split(),
    ]


class _Text(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text() | st.text("`~ \n\ta"))
@settings(deadline=None)
def test_foreign_lines_do_not_leave_their_block(words: str) -> None:
    shown = rendered(f"{fenced(words)}\n\nthe end\n")
    assert shown.counts == {"pre": 1, "code": 1, "p": 1}
    assert shown.words == ["the", "end"]


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Plain words, it's (all) fine: 2.5 s.", "Plain words, it's (all) fine: 2.5 s."),
        ("Set `store: none`.", "Set `store: none`."),
        ("see example.com/a@v1.0.0, too", "see `example.com/a@v1.0.0`, too"),
        ("the cache service: <b>", "the cache service: `<b>`"),
        ("a ` b", "a `` ` `` b"),
        ("www.example.com", "`www.example.com`"),
    ],
)
def test_only_words_that_could_mean_something_become_code(sentence: str, shown: str) -> None:
    assert prose(sentence) == shown


def test_a_block_of_text_is_cut_where_it_is_far_too_long() -> None:
    """A summary may have 1 MiB; Go's words may have more."""
    assert len(markdown(_with("line\n" * 50_000), mermaid=True)) < 200_000


@pytest.mark.parametrize("name", ["present", "disabled"])
def test_one_line_where_there_was_nothing_to_do(name: str) -> None:
    assert markdown(ALL[name], mermaid=True).count("\n") == 1


@pytest.mark.parametrize("name", ALL)
def test_what_is_in_the_open_is_short(name: str) -> None:
    """Twenty jobs share one page."""
    if not ALL[name].completed.failure:
        open_lines = markdown(ALL[name], mermaid=True).partition("<details>")[0].strip().splitlines()
        assert len([line for line in open_lines if line]) <= 4


def test_exact_hit_is_one_line_that_unfolds() -> None:
    """Of a matrix of jobs each shows its own summary on the page of the run, and none knows of the others."""
    (line, *_) = markdown(ALL["job_exact"], mermaid=True).splitlines()
    assert line.startswith("<details><summary><strong>go-prefetch: exact hit</strong> · 12 of 12 modules")
    assert "saved 33 s</summary>" in line


def test_costliest_modules_are_downloads_then_the_largest_zips() -> None:
    shown = markdown(ALL["job_partial"], mermaid=True).partition("modules that cost most")[2].partition("</details>")[0]
    rows = [line for line in shown.splitlines() if "@v" in line]
    assert ["https://" in row for row in rows] == [True] * 3 + [False] * 5


def test_warnings_are_shown_where_there_was_nothing_to_do() -> None:
    warned = dataclasses.replace(ALL["present"], notes=(notice("trees-unchecked", "count", count=2),))
    assert "2 present modules could not be checked" in markdown(warned, mermaid=True)


@pytest.mark.parametrize("name", ALL)
def test_no_password_is_shown(name: str) -> None:
    assert "hunter2" not in markdown(ALL[name], mermaid=True)
