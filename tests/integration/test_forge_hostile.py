"""A forge's API that says too much, or too slowly, or sends us on for ever: `report` and `prune` end all the same."""

from __future__ import annotations

import contextlib
import faulthandler
import gzip
import zlib
from collections.abc import Callable, Iterator

import pytest

from go_prefetch.base.retry import Backoff
from go_prefetch.base.untrusted_json import integer
from go_prefetch.errors import ApiError, PrefetchError
from go_prefetch.forge.access import Access
from go_prefetch.forge.api import Limits, Patience, RestApi
from go_prefetch.forge.github import GitHub
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer

pytestmark = pytest.mark.slow  # hostile answers, one by one

LIMITS = Limits(Timeouts(connect=10.0, stall=0.3), whole=1.0)


@pytest.fixture(autouse=True)
def _trace() -> Iterator[None]:
    """A trace of where the test waits if it does not end."""
    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def api(kind: str, url: str) -> RestApi:
    access = Access("gitlab" if kind == "gitlab" else "github", url, "acme/widget", "token")
    patience, backoff = Patience(sleep=lambda _: None), Backoff(2, first=0.0)
    return RestApi(access, HttpSettings(), patience, follows=kind == "gitlab", backoff=backoff, limits=LIMITS)


def of_github(url: str) -> GitHub:
    return GitHub(api("github", url), Access("github", url, "acme/widget", "token"))


def usage_of_github(url: str) -> object:
    return of_github(url).cache_usage()


def project_of_gitlab(url: str) -> object:
    return api("gitlab", url).get("/projects/acme").value


FORGES: dict[str, Callable[[str], object]] = {"github": usage_of_github, "gitlab": project_of_gitlab}
EVERYTHING: dict[str, Callable[[GitHub], object]] = {
    "repository": lambda github: github.repository(),
    "workflows": lambda github: list(github.workflows()),
    "runs": lambda github: github.runs(None, 1, ""),
    "jobs": lambda github: list(github.jobs(1)),
    "run_log": lambda github: github.run_log(1),
    "job_log": lambda github: github.job_log(1),
    "caches": lambda github: list(github.caches("x")),
    "cache_usage": lambda github: github.cache_usage(),
    "cache_limit": lambda github: github.cache_limit(),
    "delete_cache": lambda github: github.delete_cache(1),
    "is_pull_closed": lambda github: github.is_pull_closed(1),
    "has_branch": lambda github: github.has_branch("main"),
    "moment_of": lambda github: github.moment_of("a" * 40),
}


def says(text: bytes) -> Respond:
    return lambda request, line: line.say(text)


def without_end(request: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not line.stopped.is_set():
        line.say(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")


def packed_without_end(request: RawRequest, line: Line) -> None:
    packing = zlib.compressobj(wbits=31)
    line.say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    while not line.stopped.is_set():
        line.say(packing.compress(bytes(16 << 20)) + packing.flush(zlib.Z_SYNC_FLUSH))


def drips(request: RawRequest, line: Line) -> None:
    line.say(answer(b"", length=1000))
    line.drip(b" " * 1000, 0.05)


def drips_just_quick_enough(request: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not line.stopped.wait(0.01):
        line.say(b"400\r\n" + b" " * 1024 + b"\r\n")


def drips_headers(request: RawRequest, line: Line) -> None:
    line.drip(b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 10_000, 0.05)


def sends_from_one_place_to_the_next(request: RawRequest, line: Line) -> None:
    host, place = request.headers["Host"], "b" if request.target.endswith("/a") else "a"
    line.say(answer(b"{}", status="301 Moved Permanently", Location=f"http://{host}/{place}"))


def is_never_ready(request: RawRequest, line: Line) -> None:
    line.say(answer(b"", status="202 Accepted"))


def sends_to_a_malformed_place(request: RawRequest, line: Line) -> None:
    line.say(answer(b"{}", status="301 Moved Permanently", Location="http://[::1/x"))


EVERYWHERE = (without_end, packed_without_end, drips, drips_just_quick_enough, drips_headers)
ON_GITHUB = (sends_from_one_place_to_the_next, is_never_ready, sends_to_a_malformed_place)
CASES = [*((name, respond) for name in FORGES for respond in EVERYWHERE), *(("github", one) for one in ON_GITHUB)]


@pytest.mark.parametrize(("forge", "respond"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_no_answer_is_read_or_followed_without_end(forge: str, respond: Respond) -> None:
    with RawServer(respond) as server:
        with pytest.raises(ApiError):
            FORGES[forge](server.url)
        assert len(server.requests) <= 8


@pytest.mark.parametrize("ask", EVERYTHING.values(), ids=EVERYTHING)
def test_every_request_to_github_has_the_limits(ask: Callable[[GitHub], object]) -> None:
    """None goes over a connection of PyGithub's own."""
    with RawServer(without_end) as server:
        with pytest.raises(ApiError):
            ask(of_github(server.url))
        assert len(server.requests) == 1


def test_pages_that_never_end_are_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("go_prefetch.forge.github.MOST_PAGES", 5)
    page = b'{"workflows": [' + b",".join([b'{"id": 1, "name": "ci", "path": "ci.yml"}'] * 100) + b"]}"
    with RawServer(says(answer(page))) as server:
        assert len(list(of_github(server.url).workflows())) == 500
        assert len(server.requests) == 5


NONSENSE = (
    b"[]", b"{}", b"5", b'"text"', b"[[1]]", b'{"message": 5}', b'{"workflows": 5}', b'{"jobs": ["x"]}',
    b'{"workflows": [{"id": "x"}]}', b'{"jobs": [{"id": []}]}', b'{"full_name": 5}', b'{"state": {}}',
    b'{"commit": 5}', b'{"commit": {"committer": {"date": "9999-12-31T23:59:59-23:00"}}}', b'{"actions_caches": [[]]}',
)  # fmt: skip


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "404 Not Found"])
@pytest.mark.parametrize("ask", EVERYTHING.values(), ids=EVERYTHING)
def test_json_of_another_shape_is_a_named_error_or_nothing(ask: Callable[[GitHub], object], status: str) -> None:
    for body in NONSENSE:
        server = RawServer(says(answer(body, status=status)))
        with server, contextlib.suppress(PrefetchError):
            ask(of_github(server.url))


@pytest.mark.parametrize("ask", EVERYTHING.values(), ids=EVERYTHING)
def test_no_url_in_an_answer_leads_to_another_server(ask: Callable[[GitHub], object]) -> None:
    """A request carries the token."""
    with RawServer(says(answer(b"{}"))) as other:
        url = other.url.encode()
        item = b'{"id": 1, "url": "%s/x", "jobs_url": "%s/x", "logs_url": "%s/x"}' % (url, url, url)
        body = b'{"url": "%s/x", "workflows": [%s], "jobs": [%s], "commit": {"url": "%s/x"}}' % (url, item, item, url)
        server = RawServer(says(answer(body, Location=f"{other.url}/x")))
        with server, contextlib.suppress(PrefetchError):
            ask(of_github(server.url))
        assert other.requests == []


@pytest.mark.parametrize("forge", FORGES)
def test_a_nonsense_of_a_rate_limit_does_not_spoil_the_answer(forge: str) -> None:
    """PyGithub would stumble over it."""
    said = answer(b'{"id":1}', X_RateLimit_Limit="many", X_RateLimit_Remaining="inf", X_RateLimit_Reset="1e999")
    with RawServer(says(said)) as server:
        assert integer(FORGES[forge](server.url), "id") == 1


@pytest.mark.parametrize("forge", FORGES)
def test_answers_come_packed(forge: str) -> None:
    """A page of a hundred runs is 2 MB of text."""
    page = gzip.compress(b'{"id":1}')
    with RawServer(says(answer(page, Content_Encoding="gzip"))) as server:
        assert integer(FORGES[forge](server.url), "id") == 1
        assert server.requests[0].headers["Accept-Encoding"] == "gzip"
