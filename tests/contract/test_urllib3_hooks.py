"""The hooks of urllib3 that web/transport.py and web/client.py use: one test for each.

Some of them are not urllib3's documented API. CI runs this file with the oldest and the newest version that
pyproject.toml allows.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import requests
import trustme
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from tests.support.fakes.http_proxy import HttpProxy
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, answer
from tests.support.fakes.tls import server_tls

HOST = "modules.test"  # no name server knows it


class Reply(http.client.HTTPResponse):
    """Notes that it was made."""

    made: ClassVar[list[socket.socket]] = []

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.made.append(sock)


class Dialled(HTTPConnection):
    """Connects to a server on this machine, whatever the name, and notes what it is called for."""

    response_class = Reply
    calls: ClassVar[list[tuple[str, Any]]] = []
    port_of_server = 0

    def _new_conn(self) -> socket.socket:
        self.calls.append(("dial", (self._dns_host, self.port, self.timeout, bool(self.socket_options), self.proxy)))
        return socket.create_connection(("127.0.0.1", self.port_of_server or self.port))

    def request(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append(("request", self.sock is not None))
        super().request(*args, **kwargs)

    def getresponse(self) -> Any:
        self.calls.append(("getresponse", self.sock is not None))
        return super().getresponse()


class DialledTls(Dialled, HTTPSConnection):
    def connect(self) -> None:
        self.calls.append(("connect", None))
        super().connect()


class Pool(HTTPConnectionPool):
    ConnectionCls = Dialled


class TlsPool(HTTPSConnectionPool):
    ConnectionCls = DialledTls


POOLS = {"http": Pool, "https": TlsPool}
ONE_TRY = Retry(0, redirect=False, raise_on_status=False)


@pytest.fixture(autouse=True)
def calls() -> Iterator[list[tuple[str, Any]]]:
    Dialled.calls.clear()
    Reply.made.clear()
    yield Dialled.calls
    Dialled.port_of_server = 0


@pytest.fixture
def manager() -> PoolManager:
    manager = PoolManager()
    manager.pool_classes_by_scheme = POOLS
    return manager


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(lambda request, line: line.say(answer(b"hello")), keeps_alive=True) as server:
        yield server


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> Iterator[RawServer]:
    context = server_tls(authority, HOST)
    with RawServer(lambda request, line: line.say(answer(b"hello")), tls=context) as server:
        yield server


def dials(calls: list[tuple[str, Any]]) -> list[Any]:
    return [details for name, details in calls if name == "dial"]


def test_pool_classes_by_scheme_decides_the_connection(
    manager: PoolManager, server: RawServer, calls: list[tuple[str, Any]]
) -> None:
    assert manager.request("GET", server.url).data == b"hello"
    assert [name for name, _ in calls] == ["request", "dial", "getresponse"]


def test_new_conn_is_given_timeout_and_options(
    manager: PoolManager, server: RawServer, calls: list[tuple[str, Any]]
) -> None:
    manager.request("GET", server.url, timeout=7.0)
    assert dials(calls) == [("127.0.0.1", server.port, 7.0, True, None)]


def test_dns_host_keeps_the_dot_at_the_end(
    manager: PoolManager, server: RawServer, calls: list[tuple[str, Any]]
) -> None:
    """Without it the name would be looked up in the search domains too."""
    Dialled.port_of_server = server.port
    manager.request("GET", f"http://{HOST}.:80/")
    assert dials(calls)[0][0] == f"{HOST}."


def test_response_class_reads_each_answer(manager: PoolManager, server: RawServer) -> None:
    manager.request("GET", server.url)
    assert len(Reply.made) == 1


def test_request_of_a_connection_that_is_kept_has_its_socket(
    manager: PoolManager, server: RawServer, calls: list[tuple[str, Any]]
) -> None:
    manager.request("GET", server.url)
    manager.request("GET", server.url)
    assert [details for name, details in calls if name == "request"] == [False, True]
    assert len(dials(calls)) == 1


def test_tls_is_spoken_over_the_socket_of_new_conn(
    authority: trustme.CA, tls: RawServer, calls: list[tuple[str, Any]]
) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    manager = PoolManager(ssl_context=context, cert_reqs="CERT_REQUIRED")
    manager.pool_classes_by_scheme = POOLS
    Dialled.port_of_server = tls.port
    assert manager.request("GET", f"https://{HOST}/").data == b"hello"
    assert [name for name, _ in calls] == ["connect", "dial", "request", "getresponse"]
    assert isinstance(Reply.made[0], ssl.SSLSocket)


def test_tls_refuses_a_certificate_of_another_authority(tls: RawServer) -> None:
    manager = PoolManager(ssl_context=ssl.create_default_context(), cert_reqs="CERT_REQUIRED")
    manager.pool_classes_by_scheme = POOLS
    Dialled.port_of_server = tls.port
    with pytest.raises(MaxRetryError, match="CERTIFICATE_VERIFY_FAILED"):
        manager.request("GET", f"https://{HOST}/", retries=ONE_TRY)


def test_pool_without_files_trusts_what_the_context_trusts(authority: trustme.CA, tls: RawServer) -> None:
    """The attributes that an adapter of requests sets, for each URL."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    pool: Any = TlsPool(HOST, ssl_context=context)
    pool.cert_reqs, pool.ca_certs, pool.ca_cert_dir = "CERT_REQUIRED", None, None
    Dialled.port_of_server = tls.port
    assert pool.request("GET", "/").data == b"hello"


def test_proxy_is_known_to_a_connection_through_one(
    authority: trustme.CA, tls: RawServer, calls: list[tuple[str, Any]]
) -> None:
    """And its answer to CONNECT is read by the same class."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with HttpProxy({HOST: tls.port}) as proxy:
        manager = ProxyManager(f"http://127.0.0.1:{proxy.port}", ssl_context=context)
        manager.pool_classes_by_scheme = POOLS
        assert manager.request("GET", f"https://{HOST}/").data == b"hello"
    host, port, _, _, known = dials(calls)[0]
    assert (host, port, known.port) == ("127.0.0.1", proxy.port, proxy.port)
    assert len(Reply.made) == 2


def test_tunnel_of_an_http_proxy_is_opened_by_this_method() -> None:
    """Its errors pass through unchanged."""

    class Tunnelled(HTTPSConnection):
        def _tunnel(self) -> None:
            raise LookupError("tunnel")

    class TunnelledPool(HTTPSConnectionPool):
        ConnectionCls = Tunnelled

    with HttpProxy({}) as proxy:
        manager = ProxyManager(f"http://127.0.0.1:{proxy.port}")
        manager.pool_classes_by_scheme = {"https": TunnelledPool}
        with pytest.raises(LookupError, match="tunnel"):
            manager.request("GET", f"https://{HOST}/")


def test_read1_returns_what_has_arrived(manager: PoolManager) -> None:
    """Encoded as it came, and without waiting for the rest of the body."""
    read = threading.Event()

    def respond(request: RawRequest, line: Line) -> None:
        line.say(answer(b"", length=8, Content_Encoding="gzip") + b"half")
        assert read.wait(60)
        line.say(b"rest")

    with RawServer(respond) as server:
        response = manager.request("GET", server.url, preload_content=False)
        assert response.read1(1 << 16, decode_content=False) == b"half"
        read.set()
        assert response.read1(1 << 16, decode_content=False) == b"rest"
        assert response.read1(1 << 16, decode_content=False) == b""


def test_read_that_times_out_is_a_read_timeout_error(manager: PoolManager) -> None:
    def respond(request: RawRequest, line: Line) -> None:
        line.say(answer(b"", length=8))
        line.wait()

    with RawServer(respond) as server:
        response = manager.request("GET", server.url, preload_content=False, timeout=0.2)
        with pytest.raises(ReadTimeoutError):
            response.read1(1 << 16, decode_content=False)


def get_with_failing_connection(error: Callable[[HTTPConnection], Exception]) -> None:
    """Request a page by requests, over a connection whose `_new_conn` raises this error."""

    class Refused(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            raise error(self)

    class RefusedPool(HTTPConnectionPool):
        ConnectionCls = Refused

    with requests.Session() as session:
        session.trust_env = False
        adapter: Any = session.get_adapter("http://")
        adapter.poolmanager.pool_classes_by_scheme = {"http": RefusedPool}
        session.get(f"http://{HOST}/")


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (lambda connection: NameResolutionError(HOST, connection, socket.gaierror("x")), requests.ConnectionError),
        (lambda connection: ConnectTimeoutError(connection, "late"), requests.ConnectTimeout),
        (lambda connection: NewConnectionError(connection, "refused"), requests.ConnectionError),
    ],
    ids=["NameResolutionError", "ConnectTimeoutError", "NewConnectionError"],
)
def test_errors_of_new_conn_become_those_of_requests(error: Any, meaning: type[Exception]) -> None:
    with pytest.raises(meaning) as caught:
        get_with_failing_connection(error)
    assert isinstance(caught.value.args[0], HTTPError)


def test_another_error_of_new_conn_passes_through_unchanged() -> None:
    """So does the refusal of a private address."""

    with pytest.raises(LookupError, match="refused"):
        get_with_failing_connection(lambda connection: LookupError("refused"))


def test_requests_uses_this_urllib3() -> None:
    assert requests.adapters.PoolManager is PoolManager
