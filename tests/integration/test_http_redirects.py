"""Redirects from the public internet inwards, by every trick: no request asks what only this machine can reach.

127.0.0.2 stands for a public address here; `test_http_reality.py` has a network where 1.2.3.4 is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.doctor.probe import BodyLimit, Probe
from go_prefetch.golang.goproxy import Proxy
from go_prefetch.web import addresses, client, session
from go_prefetch.web.client import HttpClient
from go_prefetch.web.dns import Resolver
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from tests.support.fakes.go_on_path import GoOnPath
from tests.support.fakes.modules import FakeModule, layout
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer
from tests.support.fakes.tls import server_tls, trusting
from tests.support.workbench import Workbench

PUBLIC = "127.0.0.2"
pytestmark = pytest.mark.allow_hosts(["127.0.0.1", PUBLIC])
INWARDS = "redirected from a public to a private address"
NAMES = {"inside.test": ["127.0.0.1"], "both.test": [PUBLIC, "127.0.0.1"], "outside.test": [PUBLIC]}


@pytest.fixture(autouse=True)
def _public(monkeypatch: pytest.MonkeyPatch) -> None:
    """One address of this machine counts as public."""
    by_rule = addresses.is_public
    for module in (addresses, client, session):
        monkeypatch.setattr(module, "is_public", lambda text: text == PUBLIC or by_rule(text))


def look_up(host: str, port: int, *_: Any) -> list[Any]:
    """Names as the attacker's name server has them; all else as the system has it."""
    import socket

    found = [socket.getaddrinfo(one, port, type=socket.SOCK_STREAM)[0] for one in NAMES.get(host, [])]
    return found or socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def ask(*urls: str, web: HttpSettings | None = None, kept_seconds: float = 60.0) -> str:
    """What the client says of these requests, one after the other: the error of the last, or its body."""
    asker = HttpClient(Timeouts(2.0, 2.0), web=web or HttpSettings(), resolver=Resolver(look_up, kept_seconds))
    said = ""
    for url in urls:
        try:
            with asker.request("GET", url, Deadline.after(5)) as got:
                said = b"".join(got.pieces).decode()
        except AttemptError as error:
            said = str(error)
    return said


@pytest.fixture
def inner() -> Iterator[RawServer]:
    """What only this machine can reach."""
    with RawServer(lambda request, line: line.say(answer(b"within")), keeps_alive=True) as server:
        yield server


def moved(location: str) -> Respond:
    return lambda request, line: line.say(answer(b"", status="302 Found", Location=location))


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://2130706433:{port}/", "http://0177.0.0.1:{port}/",
        "http://0x7f000001:{port}/", "http://[::ffff:127.0.0.1]:{port}/", "http://localhost:{port}/",
        "//127.0.0.1:{port}/", "http://inside.test:{port}/", "http://both.test:{port}/", "http://0:{port}/",
        "http://me:secret@127.0.0.1:{port}/", "http://INSIDE.test:{port}/",
    ],
)  # fmt: skip
def test_it_is_refused_however_it_is_written(inner: RawServer, place: str) -> None:
    with RawServer(moved(place.format(port=inner.port)), address=PUBLIC) as outer:
        assert ask(f"{outer.url}/file") == INWARDS
    assert inner.requests == []


@pytest.mark.parametrize(
    "place",
    ["http://127.0.0.1:{port}\\@outside.test/", "http://localhost.:{port}/", "http://127.0.0.1:{port}%2f@outside.test/",
     "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:{port}/", "http://127\u30020.0.1:{port}/"],
    ids=["two hosts", "a dot behind it", "a slash in it", "letters in circles", "another full stop"],
)  # fmt: skip
def test_what_is_read_in_two_ways_leads_inwards_in_neither(inner: RawServer, place: str) -> None:
    """Whatever is made of it, an error in words, and nobody within is asked."""
    with RawServer(moved(place.format(port=inner.port)), address=PUBLIC) as outer:
        assert ask(f"{outer.url}/file") != "within"
    assert inner.requests == []


def test_by_way_of_another_public_place(inner: RawServer) -> None:
    with (
        RawServer(moved(inner.url), address=PUBLIC) as second,
        RawServer(moved(f"http://outside.test:{second.port}/"), address=PUBLIC) as first,
    ):
        assert ask(f"{first.url}/file") == INWARDS
    assert inner.requests == []


def test_over_a_connection_that_is_open_already(inner: RawServer) -> None:
    """The user's own proxy within is asked first, and its connection kept."""
    with RawServer(moved(inner.url), address=PUBLIC) as outer:
        assert ask(f"{inner.url}/first", f"{outer.url}/file") == INWARDS
    assert inner.targets == ["/first"]


def test_private_hosts_redirect_anywhere_public_ones_to_public(inner: RawServer) -> None:
    """Proxies of a company keep zips beside them, public ones in object storage; and the one after the other."""
    with RawServer(lambda request, line: line.say(answer(b"without")), address=PUBLIC) as storage:
        with RawServer(moved(inner.url)) as first:
            assert ask(f"{first.url}/file") == "within"
        with RawServer(moved(f"http://outside.test:{storage.port}/"), address=PUBLIC) as second:
            assert ask(f"{second.url}/file") == "without"
            assert ask(f"{second.url}/file", f"{inner.url}/file") == "within"


@pytest.mark.parametrize("place", ["http://10.0.0.1/", "http://0xa000001/", "http://[64:ff9b::a00:1]/"])
def test_an_http_proxy_is_not_asked_for_what_is_within(place: str) -> None:
    """It looks names up itself, and would reach what a public proxy names by its address."""

    def respond(request: Any, line: Any) -> None:
        found = answer(b"by way of it") if request.target.endswith("/there") else None
        line.say(found or answer(b"", status="302 Found", Location=request.headers["X"] or where[0]))

    where = [place]
    with RawServer(respond, keeps_alive=True) as relay:
        web = HttpSettings(http_proxy=relay.url)
        assert ask("http://outside.test/file", web=web) == INWARDS
        where[0] = "http://inside.test/there"
        assert ask("http://outside.test/file", web=web) == "by way of it"
        assert relay.targets == ["http://outside.test/file", "http://outside.test/file", "http://inside.test/there"]


def test_a_name_that_means_another_address_by_now(inner: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever redirects is judged by where it was, not by where its name server says that it has moved."""

    def respond(request: Any, line: Any) -> None:
        monkeypatch.setitem(NAMES, "turning.test", ["127.0.0.1"])
        line.say(answer(b"", status="302 Found", Location=inner.url))

    monkeypatch.setitem(NAMES, "turning.test", [PUBLIC])
    with RawServer(respond, address=PUBLIC) as outer:
        assert ask(f"http://turning.test:{outer.port}/file", kept_seconds=0.0) == INWARDS
    assert inner.requests == []


def test_doctor_measures_with_the_same_guard(inner: RawServer) -> None:
    """A redirect that is refused counts as an answer that says no, not as a lost one."""
    with RawServer(moved(inner.url), address=PUBLIC) as outer:
        probe = Probe(HttpSettings(), Timeouts(2.0, 2.0))
        sample = probe.get(f"{outer.url}/file", BodyLimit(1000, 2.0), Deadline.after(5)).sample
    assert (sample.failure, sample.lost) == (INWARDS, False)
    assert inner.requests == []


def test_host_that_the_user_named_may_redirect_inwards(inner: RawServer) -> None:
    """A company's proxy with a public address keeps its zips within. It leads no further than that."""
    with RawServer(moved(inner.url), address=PUBLIC) as second:
        web = HttpSettings(named_hosts=frozenset({"proxy.test", PUBLIC}))
        assert ask(f"{second.url}/file", web=web) == "within"
        by_name = HttpSettings(named_hosts=frozenset({"outside.test"}))
        assert ask(f"http://outside.test:{second.port}/file", web=by_name) == "within"
        with RawServer(moved(f"{second.url}/"), address=PUBLIC) as first:
            assert ask(f"http://outside.test:{first.port}/file", web=by_name) == INWARDS
    with RawServer(moved("http://169.254.169.254/latest/meta-data/"), address=PUBLIC) as outer:
        assert ask(f"{outer.url}/file", web=web) == INWARDS


def test_names_that_a_runner_intercepts_may_be_private(tmp_path: Path) -> None:
    """By https only, with a certificate that is trusted, and no other name of the service's answers."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    names = ("blobs.intercepted.test", "inside.test")
    with RawServer(lambda request, line: line.say(answer(b"blob")), tls=server_tls(authority, *names)) as service:
        web = trusting(tmp_path / "ca.pem", local_names=(".intercepted.test",))
        led = HttpClient(
            Timeouts(2.0, 2.0), web=web, trusted_origin="https://8.8.8.8/", caller_authenticates=True,
            resolver=Resolver(lambda host, port, *_: look_up("127.0.0.1" if host in names else host, port)),
        )  # fmt: skip

        def blob(scheme: str, name: str) -> str:
            with led.request("GET", f"{scheme}://{name}:{service.port}/", Deadline.after(5)) as got:
                return got.read(100).decode()

        assert blob("https", names[0]) == "blob"
        with pytest.raises(AttemptError, match=INWARDS):
            blob("https", names[1])
        with pytest.raises(AttemptError, match="https to http"):
            blob("http", names[0])


def test_public_proxies_lead_nowhere_and_go_gets_the_whole_list(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What go-prefetch promises holds for its own requests. Go follows every redirect, and is given every proxy."""
    lib = FakeModule("example.com/lib", "v1.2.3")
    bench.write_project([lib])
    files = layout([lib])
    go = GoOnPath(tmp_path / "bin", on_download='echo "$GOPROXY" >>"$HERE/goproxy"')

    def within(request: RawRequest, line: Line) -> None:
        content = files.get(request.target.lstrip("/"))
        line.say(answer(content or b"", status="200 OK" if content else "404 Not Found"))

    def lead_inwards(request: RawRequest, line: Line) -> None:
        line.say(answer(b"", status="302 Found", Location=f"{inside.url}{request.target}"))

    with RawServer(within) as inside, RawServer(lead_inwards, address=PUBLIC) as outer:
        goproxy = f"{outer.url}|http://127.0.0.1:1,off"
        arguments = ("run", "--store", "none", "--attempts", "1", "--verbose")
        named = bench.quickly(*arguments, GOPROXY=goproxy)
        assert named.status == 0, named.text
        assert agents(inside) == {"go-prefetch"}
        inside.requests.clear()
        outer.requests.clear()
        bench.forget_modcache()
        monkeypatch.setattr(Proxy, "is_well_known_public", True)
        public = bench.quickly(*arguments, "--fallback", "go", GOPROXY=goproxy, PATH=go.path)
    assert public.status == 0, public.text
    assert agents(outer) == {"go-prefetch", "go"}
    assert agents(inside) == {"go"}
    assert set(go.note("goproxy").read_text().split()) == {goproxy}


def agents(server: RawServer) -> set[str]:
    """Which programs have asked; Go 1.27 calls itself by another name than those before."""
    names = {"Go-http-client": "go", "GoCommand": "go"}
    found = {str(request.headers["User-Agent"]).partition("/")[0] for request in server.requests}
    return {names.get(name, name) for name in found}
