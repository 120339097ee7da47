"""What Go's words alone tell of a failure that no proxy explains."""

from __future__ import annotations

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import GoCommandError
from go_prefetch.model.results import Downloaded
from go_prefetch.run.steps.explain_failure import blamed

GIT = "go: x@v1.0.0: git ls-remote -q https://github.com/x: exit status 128:\n\tfatal: "


@pytest.mark.parametrize(
    ("words", "slug", "hint"),
    [
        (f"{GIT}unable to access 'https://github.com/x/': Could not resolve host: github.com", "git-unreadable", "git"),
        ("go: x@v1.0.0: module lookup disabled by GOPROXY=off", "go-failed", "Name a proxy"),
        ("go: errors parsing go.mod", "go-failed", "as Go said"),
    ],
)
def test_blamed_adds_what_to_do(words: str, slug: str, hint: str) -> None:
    error = blamed(GoCommandError("go-failed", words, hint="as Go said"), Downloaded(), Deadline.after(60))
    assert error.slug == slug
    assert error.message == words
    assert hint in error.hint
