"""Where progress is shown: on a terminal of a person it is overwritten, elsewhere it is a line from time to time."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys

import pytest

from go_prefetch.platforms import console, detect, progress_line
from go_prefetch.platforms.progress_line import ProgressLine, cut
from tests.support.clock import Clock
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _terminal_of_unix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_line, "IS_WINDOWS", False)


def test_console_of_windows_gets_no_escape_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_line, "IS_WINDOWS", True)
    written: list[str] = []
    line = ProgressLine(written.append, written.append, width=lambda: 20)
    line.show("Download: 1 of 2 modules, 3 s")
    line.clear()
    blank = f"\r{' ' * 19}\r"
    assert "".join(written) == f"{blank}Download: 1 of 2...{blank}"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "is_overwritten"),
    [
        ({}, True),
        ({"CI": "false"}, True),
        ({"NO_COLOR": "1"}, True),
        ({"TERM": "dumb"}, False),
        ({"CI": "true"}, False),
        ({"CI": "1"}, False),
        ({"GITHUB_ACTIONS": "true"}, False),
        ({"CI_JOB_ID": "1", "CI_PROJECT_DIR": "/project"}, False),
    ],
)
def test_progress_in_a_job_log_is_whole_lines(
    environ: dict[str, str], is_overwritten: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """act and some GitLab runners give their jobs a terminal, and keep all that was written to it."""
    monkeypatch.setattr(console, "_LOOK_EVERY", 0.001)
    monkeypatch.setattr(ProgressLine, "is_due", True)
    terminal = _Terminal()
    with detect(environ, terminal, terminal).working("Download") as meter:
        meter.say("1 of 2 files")
        wait_until(lambda: "1 of 2 files" in terminal.getvalue(), "progress")
    text = re.sub(r"\d+\.\d s", "0.0 s", terminal.getvalue())
    # Before the first word, only the seconds may have been shown.
    shown = "\r\x1b[KDownload: {}0.0 s" if is_overwritten else "Download: {}0.0 s\n"
    assert shown.format("1 of 2 files, ") in text
    assert text.startswith((shown.format(""), shown.format("1 of 2 files, ")))
    assert text.endswith("\r\x1b[K" if is_overwritten else "\n")
    assert ("\x1b" in text) is is_overwritten


def test_progress_quiet_shows_nothing() -> None:
    terminal = _Terminal()
    with detect({}, terminal, terminal, quiet=True).working("Download") as meter:
        meter.say("1 of 2 files")
    assert terminal.getvalue() == ""


def test_progress_in_a_log_is_due_after_ten_silent_seconds() -> None:
    clock, lines = Clock(), list[str]()
    line = ProgressLine(lines.append, lines.append, width=None, clock=clock)
    clock.now += 9
    assert not line.is_due
    line.clear()  # something else was printed
    clock.now += 9
    assert not line.is_due
    clock.now += 1
    assert line.is_due
    line.show("Download: 3 s")
    assert not line.is_due
    assert lines == ["Download: 3 s"]


def test_progress_on_a_narrow_terminal_is_cut() -> None:
    written = list[str]()
    ProgressLine(written.append, written.append, width=lambda: 20).show("Download: 1 of 2 modules, 3 s")
    assert written == ["\r\x1b[KDownload: 1 of 2..."]


@pytest.mark.parametrize(("width", "expected"), [(9, "one two"), (7, "one two"), (6, "one..."), (2, "..."), (0, "...")])
def test_cut_keeps_what_fits(width: int, expected: str) -> None:
    assert cut("one\ntwo", width) == expected


_INTERRUPTED = """
import sys, time
from go_prefetch.cli import main
from go_prefetch.cli.subcommands import SUBCOMMANDS
from dataclasses import replace

def work(invocation):
    with invocation.platform.working("Download") as meter:
        meter.say("1 of 2 files")
        time.sleep(60)

SUBCOMMANDS["plan"] = replace(SUBCOMMANDS["plan"], call=work)
sys.exit(main.main(["plan"], {}, sys.stdout, sys.stderr))
"""


def test_progress_ctrl_c_leaves_a_clean_line() -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", _INTERRUPTED], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    while b"1 of 2 files" not in text:
        text += os.read(ours, 1000)
    process.send_signal(signal.SIGINT)
    process.wait()
    text += os.read(ours, 10_000)
    os.close(ours)
    assert process.returncode == 130
    last_drawn, _, after = text.rpartition(b"\r\x1b[K")
    assert b"1 of 2 files" in last_drawn
    assert b"Interrupted" in after
    assert b"1 of 2 files" not in after


def test_lines_fit_a_terminal_and_are_whole_elsewhere() -> None:
    """A long word, such as a URL, stays whole."""
    text, url = "  a warning " + "of many words " * 10, "https://example.com/" + "a" * 90
    terminal, pipe = _Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        detect({}, stream, stream).info(f"{text.rstrip()}\n\n{url}")
    assert pipe.getvalue() == f"{text.rstrip()}\n\n{url}\n"
    *lines, empty, last, end = terminal.getvalue().split("\n")
    assert (empty, last, end) == ("", url, "")
    assert all(len(line) <= 80 for line in lines)
    assert [line.startswith("    ") for line in lines] == [False] + [True] * (len(lines) - 1)
    assert " ".join(lines).split() == text.split()
