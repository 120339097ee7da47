"""A forge's API that says too much, or too slowly, or sends us on for ever: `report` and `prune` end all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from github import Consts

from go_prefetch.base.retry import Backoff
from go_prefetch.errors import ApiError
from go_prefetch.forge import github, gitlab, transport
from go_prefetch.forge.access import Access
from go_prefetch.forge.api import Patience, RestApi
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer

STALL = 0.3  # seconds
WHOLE = 1.0  # seconds that one answer may take


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limits that pass soon, and a trace of where the test waits if it does not end."""
    import faulthandler

    monkeypatch.setattr(transport, "_TIMEOUTS", Timeouts(10.0, STALL))
    for module in (github, gitlab):
        monkeypatch.setattr(module, "SECONDS", WHOLE)
    monkeypatch.setattr(Consts, "PROCESSING_202_WAIT_TIME", 0)
    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def of_github(url: str) -> RestApi:
    access = Access("github", url, "acme/widget", "token")
    client = transport.forge_client(access, HttpSettings(), follows=False)
    return api(github.GitHubTransport(url, access.token, client))


def of_gitlab(url: str) -> RestApi:
    access = Access("gitlab", url, "acme/widget", "token")
    client = transport.forge_client(access, HttpSettings())
    return api(gitlab.GitLabTransport(url, access.token, client))


def api(over: transport.Transport) -> RestApi:
    return RestApi("the forge", over, Patience(sleep=lambda _: None), Backoff(2, first=0.0))


FORGES = {"github": of_github, "gitlab": of_gitlab}


def without_end(request: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not line.stopped.is_set():
        line.say(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")


def packed_without_end(request: RawRequest, line: Line) -> None:
    import zlib

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
    host, place = request.headers["Host"], "b" if request.target.endswith("a") else "a"
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
        asked: Callable[[str], RestApi] = FORGES[forge]
        with pytest.raises(ApiError):
            asked(server.url).get("/repos/acme/a")
        assert len(server.requests) <= 8


@pytest.mark.parametrize("forge", FORGES)
def test_a_nonsense_of_a_rate_limit_does_not_spoil_the_answer(forge: str) -> None:
    """PyGithub would stumble over it."""
    said = answer(b'{"id":1}', X_RateLimit_Limit="many", X_RateLimit_Remaining="inf", X_RateLimit_Reset="1e999")
    with RawServer(lambda request, line: line.say(said)) as server:
        assert FORGES[forge](server.url).get("/repos/acme/a").value == {"id": 1}


@pytest.mark.parametrize("forge", FORGES)
def test_answers_come_packed(forge: str) -> None:
    """A page of a hundred runs is 2 MB of text."""
    import gzip

    page = gzip.compress(b'{"id":1}')
    with RawServer(lambda request, line: line.say(answer(page, Content_Encoding="gzip"))) as server:
        assert FORGES[forge](server.url).get("/repos/acme/a").value == {"id": 1}
        assert server.requests[0].headers["Accept-Encoding"] == "gzip"
