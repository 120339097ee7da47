"""What Go's words alone tell of a failure that no proxy explains."""

from __future__ import annotations

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.golang.command import GoRun, failed
from go_prefetch.golang.download_trace import Pending
from go_prefetch.model.results import Downloaded
from go_prefetch.run.steps.explain_failure import explain_failure, stalled
from tests.support.fakes.reports import plan

GIT = "go: x@v1.0.0: git ls-remote -q https://github.com/x: exit status 128:\n\tfatal: "
ACCESS = f"{GIT}unable to access 'https://x.test/x/': "


@pytest.mark.parametrize(
    ("words", "slug", "case"),
    [
        (
            f"{GIT}unable to access 'https://x.test/x/': Could not resolve host: x.test",
            "git-unreadable",
            "no-host",
        ),
        (f"{GIT}ssh: connect to host github.com port 22: Connection timed out", "git-unreadable", "no-host"),
        (
            'go: x@v1: unrecognized import path "x": https fetch: Get "https://x?go-get=1": dial tcp: no such host',
            "git-unreadable",
            "no-host",
        ),
        (
            'go: x@v1: unrecognized import path "x": https fetch: Get "https://x?go-get=1": proxyconnect tcp: EOF',
            "git-unreadable",
            "no-host",
        ),
        (f"{ACCESS}Failed to connect to x.test port 443 after 0 ms", "git-unreadable", "no-host"),
        (f"{ACCESS}server certificate verification failed. CAfile: none", "git-unreadable", "certificate"),
        (f"{ACCESS}SSL certificate problem: self-signed certificate", "git-unreadable", "certificate"),
        (f"{ACCESS}The requested URL returned error: 503", "git-unreadable", "server"),
        (f"{ACCESS}The requested URL returned error: 403", "git-unreadable", ""),
        (f"{GIT}repository 'https://x.test/x/' not found", "git-unreadable", ""),
        (
            'go: x@v1: Get "https://x?go-get=1": tls: failed to verify certificate: x509: unknown authority',
            "go-failed",
            "certificate",
        ),
        (f"{GIT}could not read Username for 'https://github.com'", "git-unreadable", ""),
        (
            'go: x@v1.0.0: verifying module: x@v1.0.0: Get "https://sum.golang.org/lookup/x@v1.0.0": i/o timeout',
            "go-failed",
            "sumdb",
        ),
        (
            'go: x@v1: Get "https://x/x/@v/v1.mod": tls: failed to verify certificate: x509: unknown authority',
            "go-failed",
            "certificate",
        ),
        ("go: x@v1.0.0: module lookup disabled by GOPROXY=off", "go-failed", "goproxy-off"),
        ("go: go.mod requires go >= 1.26 (running go 1.24.4; GOTOOLCHAIN=local)", "go-failed", "go-too-old"),
        ("go: download go1.99.0 for linux/amd64: toolchain not available", "go-failed", "no-toolchain"),
        ("go: errors parsing go.mod:\ngo.mod:63: unknown directive: need", "go-failed", "malformed"),
        ("go: updates to go.mod needed", "go-failed", ""),
    ],
)
def test_explain_failure_adds_what_to_do(words: str, slug: str, case: str) -> None:
    of_go = failed(GoRun(("go", "mod", "download"), 1, (words,)))
    error = explain_failure(of_go, Downloaded(), Deadline.after(60), plan())
    assert (error.slug, error.notice.case) == (slug, case)
    assert words in error.go_stderr


@pytest.mark.parametrize(
    ("remotes", "case"),
    [
        (["https://sum.golang.org/lookup/x@v1.0.0"], "sumdb"),
        (["https://proxy.test/sumdb/sum.golang.org/tile/8/0/001"], "sumdb"),
        (["https://sum.golang.org/lookup/x@v1.0.0", "https://proxy.test/x/@v/v1.0.0.zip"], ""),
        ([], "unknown"),
    ],
)
def test_stalled_names_the_checksum_database(remotes: list[str], case: str) -> None:
    """A proxy cannot help where Go asks the database."""
    pending = tuple(Pending("get", remote) for remote in remotes)
    run = GoRun(("go", "mod", "download"), -9, (), stalled=True, pending=pending)
    assert stalled(run, 60.0, 4, plan()).notice.case == case
