"""Lines of `go mod download -x`, as go 1.26 prints them: what is trace, what is an error, what has not ended."""

from __future__ import annotations

import json

from go_prefetch.base.trace import Trace
from go_prefetch.golang.download_trace import GoTrace, Pending

FOLDER = "/m/cache/vcs/55a4"
REMOTE = "https://example.com/private"
PROBE = ["cd /m", f"git ls-remote {REMOTE}"]
LOCK = [f"mkdir -p /m/cache/vcs # git3 {REMOTE}", f"# lock {FOLDER}.lock", f"mkdir -p {FOLDER} # git3 {REMOTE}"]
FETCH = f"cd {FOLDER}; git fetch -f origin refs/tags/v1.2.3:refs/tags/v1.2.3"


def reading(*lines: str) -> GoTrace:
    trace = GoTrace()
    assert all(trace.read(line) for line in lines)
    return trace


def test_a_request_is_pending_until_its_answer() -> None:
    url = "https://proxy.test/example.com/lib/@v/v1.0.0.zip"
    assert reading(f"# get {url}").pending == (Pending("get", url),)
    assert reading(f"# get {url}", f"# get {url}: 200 OK (0.001s)").pending == ()
    assert reading(f"# get {url}", f'# get {url}: Get "{url}": EOF').pending == ()


def test_a_command_is_pending_until_its_time_is_told() -> None:
    """By then its folder has been told to be that of a repository."""
    assert reading(*LOCK, FETCH).pending == (Pending("git fetch", REMOTE),)
    assert reading(*LOCK, FETCH, f"0.456s # {FETCH}").pending == ()
    assert reading(f"# {FOLDER} for git3 {REMOTE}", FETCH).pending == (Pending("git fetch", REMOTE),)


def test_a_probe_is_pending_until_something_follows_from_it() -> None:
    """Its end is not told: the next protocol, or the repository's folder."""
    assert reading(*PROBE).pending == (Pending("git ls-remote", REMOTE),)
    ssh = f"git ls-remote git+ssh://{REMOTE.partition('://')[2]}"
    assert [pending.remote[:7] for pending in reading(*PROBE, ssh).pending] == ["git+ssh"]
    assert reading(*PROBE, *LOCK).pending == ()


def test_errors_are_no_trace() -> None:
    trace = GoTrace()
    assert not trace.read("go: example.com/private@v1.2.3: invalid version: unknown revision v1.2.3")
    assert not trace.read("\tfatal: could not read Username for 'https://example.com': terminal prompts disabled")
    assert not trace.read("verifying example.com/lib@v1.2.3: checksum mismatch")


def test_passwords_are_not_kept() -> None:
    trace = reading("git ls-remote https://me:secret@example.com/private")
    assert "secret" not in str(trace.pending)


def test_requests_of_go_are_in_the_trace() -> None:
    trace = Trace()
    reader = GoTrace(trace)
    for line in ("# get https://proxy.test/x", "# get https://proxy.test/x: 200 OK (1.500s)"):
        reader.read(line)
    (event,) = [event for event in json.loads(trace.text(str))["traceEvents"] if event["ph"] == "X"]
    assert (event["name"], event["cat"], event["dur"]) == ("go: get https://proxy.test/x", "go", 1_500_000)


def test_what_only_looks_like_a_number_is_none() -> None:
    trace = reading("# get https://proxy.test/x", "# get https://proxy.test/x: 200 OK (1.2.3s)")
    assert not trace.pending
    assert not trace.read("1..2s # cd /m; git fetch")


def test_password_of_an_odd_url_is_not_kept() -> None:
    """A scheme with a control character is none, and its password is one."""
    assert "secret" not in str(reading("git ls-remote \x00ps://me:secret@example.com/private").pending)


def test_what_only_looks_like_a_url_ends_nothing() -> None:
    for line in (
        "# get https://[::1",
        "cd /m; git fetch https://user:pass@[x",
        "git ls-remote https://[",
        "# a for git3 x://[",
    ):
        GoTrace().read(line)
