"""Progress is overwritten on a terminal of a person only."""

from __future__ import annotations

import io

import pytest

from go_prefetch.platforms import console, detect


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("environ", "is_overwritten"), [({}, True), ({"GITHUB_ACTIONS": "true"}, False)])
def test_progress_in_a_job_log_is_whole_lines(
    environ: dict[str, str], is_overwritten: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """act gives its jobs a terminal, and keeps all that was written to it."""
    monkeypatch.setattr(console, "_LIVE_PROGRESS_SECONDS", 0)
    monkeypatch.setattr(console, "_PLAIN_PROGRESS_SECONDS", 0)
    terminal = _Terminal()
    detect(environ, terminal, terminal).progress("downloaded 1 of 2 files")
    assert terminal.getvalue() == ("\r\x1b[Kdownloaded 1 of 2 files" if is_overwritten else "downloaded 1 of 2 files\n")
