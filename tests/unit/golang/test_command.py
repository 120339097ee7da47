"""What is told of a go command that failed."""

from __future__ import annotations

from go_prefetch.golang.command import GoRun, failed


def test_line_without_end_is_cut() -> None:
    """A git server may say megabytes, which would all be in the log, an annotation and the report."""
    error = failed(GoRun(("go", "mod", "download"), 1, ("go: a@v1.0.0: git fetch: exit status 128:", "x" * 1_000_000)))
    assert "a@v1.0.0" in error.go_stderr
    assert error.go_stderr.endswith("xx…")
    assert len(error.go_stderr) < 3_000
