"""What is about a proxy, and charged to no file: its limit, and its first rest. The next proxy is used if it may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from go_prefetch.base.retry import AttemptError, Backoff, Budget, Cause, Deadline, Jobs
from go_prefetch.golang.goproxy import parse_proxy_list
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.failure_cause import common_cause
from go_prefetch.model.results import Failure, Fetched, PassedOver
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.web.in_flight import Received, Turn, Wire
from tests.support.clock import Clock
from tests.support.fakes.reports import A

FILE = ModuleFile(A, "mod")


def limited(retry_after: float, status: int | None = 429) -> AttemptError:
    return AttemptError("429", kind="limited", retry_after=retry_after, status=status, cause=Cause.LIMIT)


def walk_over(goproxy: str, answer: Callable[[str, Wire], AttemptError | None], seconds: float = 60) -> ProxyWalk:
    """Return a walk whose files may have one failed attempt, and whose requests get `answer` of host and wire."""

    def get(url: str, out: BinaryIO, most: int, deadline: Deadline, wire: Wire) -> Received:
        if error := answer(url.split("/")[2], wire):
            raise error
        return Received(out.write(f"module {A.path}\n".encode()))

    return ProxyWalk(parse_proxy_list(goproxy), get, Budget(Deadline.after(seconds), Backoff(1), jobs=Jobs(1, 1)))


def test_limit_is_charged_to_no_file(tmp_path: Path) -> None:
    refusals = [limited(0.0)] * 5

    def answer(host: str, wire: Wire) -> AttemptError | None:
        wire.refusals = 1 if refusals else 0
        wire.turns = [Turn(1.0, 3.0), Turn(2.0, 4.0)]
        return refusals.pop() if refusals else None

    walk = walk_over("http://one.test", answer)
    assert isinstance(walk.fetch(FILE, ModuleFolder.at(tmp_path)), Fetched)
    assert (walk.failed_attempts("http://one.test"), walk.limit_of("http://one.test")) == (0, (5, 3.0))


def test_pipe_goes_on_past_a_limited_proxy(tmp_path: Path) -> None:
    walk = walk_over("http://one.test|http://two.test", lambda host, _: limited(3600) if host == "one.test" else None)
    came = walk.fetch(FILE, ModuleFolder.at(tmp_path))
    assert isinstance(came, Fetched)
    assert came.source == "http://two.test"


def test_error_of_the_next_proxy_is_charged(tmp_path: Path) -> None:
    broken = AttemptError("502 Bad Gateway", status=502)
    walk = walk_over("http://one.test|http://two.test", lambda host, _: limited(0) if host == "one.test" else broken)
    assert isinstance(walk.fetch(FILE, ModuleFolder.at(tmp_path)), Failure)


@pytest.mark.parametrize("goproxy", ["http://one.test", "http://one.test,http://two.test"])
def test_limit_beyond_the_deadline_fails_at_once(tmp_path: Path, goproxy: str) -> None:
    failed = walk_over(goproxy, lambda *_: limited(3600)).fetch(FILE, ModuleFolder.at(tmp_path))
    assert isinstance(failed, Failure)
    assert (failed.not_found, common_cause([failed])) == (False, "limited")


def test_request_that_was_not_sent_is_a_skipped_proxy(tmp_path: Path) -> None:
    failed = walk_over("http://one.test", lambda *_: limited(3600, status=None)).fetch(FILE, ModuleFolder.at(tmp_path))
    assert isinstance(failed, Failure)
    assert [one.passed_over for one in failed.attempts] == [PassedOver.LIMITED]


@pytest.mark.parametrize(
    ("goproxy", "patience"),
    [
        ("http://one.test", [math.inf]),
        ("http://one.test,http://two.test", [math.inf, math.inf]),
        ("http://one.test|http://two.test", [0.2, math.inf]),
    ],
)
def test_patience_is_short_where_another_proxy_is_next(tmp_path: Path, goproxy: str, patience: list[float]) -> None:
    asked = []

    def answer(_: str, wire: Wire) -> AttemptError:
        asked.append(wire.patience)
        return AttemptError("404", not_found=True, transient=False)

    walk_over(goproxy, answer).fetch(FILE, ModuleFolder.at(tmp_path))
    assert asked == patience


class Passing(Deadline):
    """A deadline whose waits take no time, but for its clock."""

    def wait(self, seconds: float) -> bool:
        """Let the seconds pass."""
        assert isinstance(self.clock, Clock)
        self.clock.now += seconds
        return not self.passed()


def fetch_two(tmp_path: Path, failures: int) -> tuple[Fetched | Failure, float, int]:
    """Return what comes of a second file after the only attempt of a first one made the only proxy rest.

    So many requests fail. Return also the seconds that both took, and the number of requests.
    """
    clock, requests = Clock(), list[str]()

    def get(url: str, out: BinaryIO, most: int, deadline: Deadline, wire: Wire) -> Received:
        requests.append(url)
        if len(requests) <= failures:
            raise AttemptError("502 Bad Gateway", status=502)
        return Received(out.write(f"module {A.path}\n".encode()))

    began = clock.now
    budget = Budget(Passing.after(600, clock), Backoff(1), jobs=Jobs(1, 1))
    walk = ProxyWalk(parse_proxy_list("http://one.test"), get, budget)
    assert isinstance(walk.fetch(FILE, ModuleFolder.at(tmp_path)), Failure)
    return walk.fetch(FILE, ModuleFolder.at(tmp_path)), clock.now - began, len(requests)


def test_first_rest_of_the_only_proxy_is_waited_for(tmp_path: Path) -> None:
    """A server that restarts: files that have not been asked for do not fail because of it."""
    came, seconds, requests = fetch_two(tmp_path, failures=1)
    assert isinstance(came, Fetched)
    assert (round(seconds, 3), requests) == (5.0, 2)


def test_second_rest_of_the_only_proxy_is_not_waited_for(tmp_path: Path) -> None:
    """A dead server does not hold up the run."""
    failed, seconds, requests = fetch_two(tmp_path, failures=100)
    assert isinstance(failed, Failure)
    assert (round(seconds, 3), requests) == (5.0, 2)
