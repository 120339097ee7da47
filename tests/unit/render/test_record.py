"""The record of a run in the log: one line, the same when read back, and never more than a line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.errors import notice
from go_prefetch.model.build_results import BuildSaved
from go_prefetch.model.results import FailedAttempt, Fetched, Restored, Saved
from go_prefetch.render.record import (
    BUILD_PREFIX,
    PREFIX,
    BuildRecord,
    Record,
    build_record_line,
    parse_record,
    record_line,
)
from tests.support.fakes.reports import REPORTS, A, downloaded, files_of, plan, report
from tests.support.fakes.summaries import ALL

LINE = record_line(REPORTS["partial"])
VALUES = json.loads(LINE.removeprefix(PREFIX))


def _line(**changed: object) -> str:
    return f"{PREFIX} {json.dumps({**VALUES, **changed})}"


@pytest.mark.parametrize("name", ALL)
def test_a_record_is_read_back(name: str) -> None:
    """Every field, and the fields in the order of the documented contract."""
    line = record_line(ALL[name])
    record = parse_record(line)
    assert record is not None
    assert dataclasses.asdict(record) == json.loads(line.removeprefix(PREFIX))
    assert list(json.loads(line.removeprefix(PREFIX))) == [field.name for field in dataclasses.fields(Record)]


def test_what_the_line_says_of_a_run() -> None:
    """The figures are those of the report."""
    record = parse_record(record_line(REPORTS["miss"]))
    assert record is not None
    assert (record.result, record.modules, record.bytes_downloaded, record.saved_bytes) == (
        "miss", 3, 1_234_567 + 4321, 1_234_567)  # fmt: skip
    assert (record.failed_attempts, record.cores, record.os, record.go) == (2, 4, "linux", "go1.27.3")
    assert record.steps["download"] == 2.5
    assert "first run" in record.reason
    assert parse_record(record_line(REPORTS["exact"])).reason == ""  # type: ignore[union-attr]
    assert parse_record(record_line(REPORTS["failed"])).failure == "checksum-mismatch"  # type: ignore[union-attr]


def test_a_record_has_what_came_besides_modules() -> None:
    record = parse_record(record_line(ALL["exact_with_build_and_test_cache"]))
    assert record is not None
    assert (record.build_files_restored, record.build_bytes_restored, record.test_cache_files) == (
        3079,
        63_512_004,
        1234,
    )
    assert record.build_matched_key.startswith("go-prefetch-build-1-")


def test_a_record_of_a_save_is_no_record_of_a_run() -> None:
    """Its fields are the documented ones, in their order."""
    saved = BuildSaved(
        3090, 345_300_790, 344_190_522, 344_100_211, 16, 1_200_579, key="new", bytes=310_822, seconds=0.4123
    )
    line = build_record_line(saved, "old", lambda text: text.replace("old", "***"))
    values = json.loads(line.removeprefix(BUILD_PREFIX))
    assert list(values) == [field.name for field in dataclasses.fields(BuildRecord)]
    assert (values["matched_key"], values["key"], values["seconds"]) == ("***", "new", 0.412)
    assert (values["restored_used_bytes"], values["new_files"], values["reason"]) == (344_100_211, 16, "")
    assert parse_record(line) is None
    nothing = build_record_line(BuildSaved(skipped_reason=notice("nothing-to-save", "compiled")), "")
    assert '"reason":"nothing-to-save"' in nothing


def test_failures_avoided_counts_files_plain_go_fails_for() -> None:
    """Only those, however many attempts failed."""
    files = sorted(files_of(A))
    fetched = tuple(
        Fetched(f, "proxy", 1, False, 0.1, (FailedAttempt("proxy", "x"),), plain_go_fails=f.kind == "zip")
        for f in files
    )
    record = parse_record(record_line(report(plan(A), downloaded=downloaded(*files, fetched=fetched))))
    assert record is not None
    assert record.failures_avoided == 1


@pytest.mark.parametrize(
    "before",
    ["", "2026-11-24T21:30:05.1234567Z ", "build\tRun org/go-prefetch\t2026-11-24T21:30:05.1234567Z ", "\ufeff",
     "2026-11-24T21:30:05.123456Z 00O ", "2026-11-24T21:30:05.123456Z 01E+", "\x1b[0;m", "\x1b[36;1m"],
    ids=["as printed", "GitHub", "gh run view", "byte order mark", "GitLab", "GitLab, continued", "reset", "colored"],
)  # fmt: skip
def test_a_record_is_found_in_downloaded_logs(before: str) -> None:
    assert parse_record(f"{before}{LINE}\r\n") == parse_record(LINE) != None  # noqa: E711


def test_keys_of_later_versions_are_ignored() -> None:
    assert parse_record(_line(more={"a": [1]})) == parse_record(LINE)


NO_RECORDS = {
    "nothing": "",
    "another version": LINE.replace("record/1", "record/2"),
    "quoted in a sentence": f"go.sum:3: version '{LINE}' is not canonical",
    "cut short": LINE[:-2],
    "more behind it": LINE + " x",
    "a list": f"{PREFIX} []",
    "deeply nested": f"{PREFIX} {{{'[' * 60_000}}}",
    "a key is missing": f"{PREFIX} {json.dumps({k: v for k, v in VALUES.items() if k != 'go'})}",
    "a text for a count": _line(modules="2"),
    "true for a count": _line(modules=True),
    "a negative count": _line(modules=-1),
    "a fraction for a count": _line(modules=1.5),
    "NaN seconds": _line(seconds=float("nan")),
    "infinite seconds": _line(seconds=float("inf")),
    "negative seconds": _line(seconds=-1),
    "a huge number": _line(seconds=10**400),
    "a number for a text": _line(key=5),
    "a list for the steps": _line(steps=[1]),
    "a text for a step": _line(steps={"plan": "1"}),
    "endless": _line(reason="x" * 100_000),
}


@pytest.mark.parametrize("line", NO_RECORDS.values(), ids=NO_RECORDS.keys())
def test_what_is_no_record(line: str) -> None:
    """Logs are open to whoever can print."""
    assert parse_record(line) is None


@pytest.mark.parametrize("changed", [{"reason": "x" * 2001}, {"steps": {"x" * 2001: 1.0}}])
def test_a_text_longer_than_any_that_is_written_is_no_record(changed: dict[str, object]) -> None:
    """Logs of many runs are held in memory, and whoever can print can write records."""
    assert parse_record(_line(**changed)) is None


@given(st.text() | st.text("{}\"':,\\ #[]0123456789go-prefetch-record/1"))
@settings(deadline=None)
def test_any_text_is_a_record_or_none(text: str) -> None:
    parse_record(text)
    parse_record(f"{PREFIX} {text}")


@given(st.text() | st.text('#[:\r\n\u2028\x1b"\\{}%\ud800a'))
@settings(deadline=None)
def test_no_text_leaves_its_line_or_becomes_a_command(text: str) -> None:
    """One line of ASCII that begins with the prefix, so that no runner takes it or a part of it for a command."""
    parts = {
        "restored": Restored(text, skipped_reason=notice("store-not-allowed", "in-words", words=text)),
        "saved": Saved(skipped_reason=notice("store-not-allowed", "in-words", words=text)),
        "goversion": text,
    }
    line = record_line(report(plan(A), **parts))
    assert line.isascii()
    assert line.isprintable()
    assert line.startswith(f"{PREFIX} {{")
    assert "##[" not in line
    record = parse_record(line)
    assert record is not None
    assert record.store == text.encode(errors="replace").decode() or len(text) > 2000


def test_secrets_are_taken_out_of_texts_before_they_are_quoted() -> None:
    """A secret with a quote or an umlaut in it would not be found in JSON."""
    secret = 'pä"ss'
    line = record_line(report(plan(A), restored=Restored(f"pool {secret}")), lambda text: text.replace(secret, "xxxxx"))
    record = parse_record(line)
    assert record is not None
    assert record.store == "pool xxxxx"


def test_the_documents_example_is_a_record() -> None:
    """And every field of a record is explained beside it."""
    text = (Path(__file__).parents[3] / "docs" / "record.md").read_text(encoding="utf-8")
    (example,) = (line for line in text.splitlines() if line.startswith(PREFIX + " {"))
    assert parse_record(example) is not None
    assert [f.name for f in dataclasses.fields(Record) if f"| `{f.name}` |" not in text] == []
