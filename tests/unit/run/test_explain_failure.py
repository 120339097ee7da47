"""What Go's words alone tell of a failure that no proxy explains."""

from __future__ import annotations

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.golang.command import GoRun, failed
from go_prefetch.model.results import Downloaded
from go_prefetch.run.steps.explain_failure import explain_failure

GIT = "go: x@v1.0.0: git ls-remote -q https://github.com/x: exit status 128:\n\tfatal: "


@pytest.mark.parametrize(
    ("words", "slug", "case"),
    [
        (f"{GIT}unable to access 'https://github.com/x/': Could not resolve host: github.com", "git-unreadable", ""),
        ("go: x@v1.0.0: module lookup disabled by GOPROXY=off", "go-failed", "goproxy-off"),
        ("go: errors parsing go.mod", "go-failed", ""),
    ],
)
def test_explain_failure_adds_what_to_do(words: str, slug: str, case: str) -> None:
    error = explain_failure(failed(GoRun(("go", "mod", "download"), 1, (words,))), Downloaded(), Deadline.after(60))
    assert (error.slug, error.notice.case) == (slug, case)
    assert words in error.go_stderr
