"""Connections with a time limit on everything: look-up, connection, TLS, and each answer as a whole.

urllib3 limits each single read. A server can send a byte now and then without end, in its headers and in the length of
a chunk. Here every read goes through the Wire of its request, which has the limit. Some of the methods that are
overridden for that are not urllib3's documented API: tests/contract/test_urllib3_hooks.py has a test for each.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from go_prefetch.base.retry import AttemptError, Cause
from go_prefetch.web.addresses import REDIRECTED_INWARDS, address_of, is_within
from go_prefetch.web.dns import AddressInfo, Resolver
from go_prefetch.web.error_mapping import words_of
from go_prefetch.web.http_settings import authorization_in
from go_prefetch.web.in_flight import Wire
from go_prefetch.web.socks import SCHEMES, SocksProxy

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse

# The request that this thread is making.
CURRENT: ContextVar[Wire] = ContextVar("CURRENT")


class _Connection(HTTPConnection):
    """A connection made within `timeout` in all, including the look-up and every address."""

    resolver: Resolver
    socks: SocksProxy | None = None
    local_names: tuple[str, ...] = ()
    peer = ""  # the address at its other end

    def _new_conn(self) -> socket.socket:
        limit = float(self.timeout or 0)
        ends = time.monotonic() + limit
        host, port = (self.socks.host, self.socks.port) if self.socks else (self._dns_host, self.port)
        try:
            with nullcontext() if address_of(host) else CURRENT.get().phase("DNS"):
                addresses = self.resolver.addresses(host, port, limit)
            self._refuse_private([str(row[4][0]) for row in addresses])
            with CURRENT.get().phase("connect"):
                connection, self.peer = self._connect(addresses, ends)
                if self.socks:
                    self._open_tunnel(self.socks, connection, ends)
            return connection
        except OSError as error:
            raise self._failure(error, f"within {limit:g}s") from error

    def _failure(self, error: OSError, within: str) -> Exception:
        """Return the error of urllib3 for a connection that failed, or one that names the SOCKS proxy."""
        if self.socks:
            words = f"no connection {within}" if isinstance(error, TimeoutError) else words_of(error)
            return AttemptError(f"SOCKS proxy: {words}", at_http_proxy=True)
        if isinstance(error, socket.gaierror):
            return NameResolutionError(self.host, self, error)
        if isinstance(error, TimeoutError):
            return ConnectTimeoutError(self, f"no connection to {self.host} {within}")
        return NewConnectionError(self, str(error))

    def _connect(self, addresses: Sequence[AddressInfo], ends: float) -> tuple[socket.socket, str]:
        """Return a connection to the first address that accepts one, and that address.

        Each address gets a share of the time.
        """
        wire = CURRENT.get()
        problem: OSError = OSError("the name has no address")
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            left = max(0.01, ends - time.monotonic()) / (len(addresses) - number)
            connection = socket.socket(family, kind, protocol)
            wire.peer = str(address[0])
            try:
                for option in self.socket_options or ():
                    connection.setsockopt(*option)
                connection.settimeout(left)
                wire.attach(connection, connected=False)
                connection.connect(address)
                wire.attach(connection, connected=False)  # in case it was cancelled: it looks connected then
            except OSError as error:
                connection.close()
                problem = error
                self.resolver.failed(wire.peer)
                continue
            connection.settimeout(max(0.01, ends - time.monotonic()))
            return connection, wire.peer
        raise problem

    def _open_tunnel(self, proxy: SocksProxy, connection: socket.socket, ends: float) -> None:
        def left() -> float:
            if time.monotonic() >= ends:
                raise TimeoutError("timed out")
            return ends - time.monotonic()

        try:
            proxy.open(connection, self._dns_host, self.port, left)
            connection.settimeout(max(0.01, ends - time.monotonic()))
        except BaseException:
            connection.close()
            raise

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Check the address, also of a connection that another request made."""
        CURRENT.get().note_connection(is_kept=self.sock is not None)
        if self.sock is not None:
            self._refuse_private([self.peer])
        super().request(*args, **kwargs)

    def _refuse_private(self, addresses: Sequence[str]) -> None:
        """Raise AttemptError if a redirect leads to a private address. An HTTP or SOCKS proxy looks up names itself."""
        reach = CURRENT.get().reach
        if self.proxy or self.socks or self._dns_host.endswith(self.local_names):
            return
        if not all(is_within(address, reach) for address in addresses):
            raise AttemptError(REDIRECTED_INWARDS, transient=False, kind="refused", cause=Cause.REDIRECTS)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        wire = CURRENT.get()
        wire.peer = self.peer
        wire.attach(self.sock)
        wire.allow(wire.stall)
        wire.note_request()
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    def connect(self) -> None:
        with CURRENT.get().phase("TLS"):
            super().connect()

    def _tunnel(self) -> None:
        """Ask an HTTP proxy for a tunnel. Raises AttemptError if it does not answer, OSError if it refuses."""
        try:
            super()._tunnel()
        except TimeoutError:
            raise AttemptError("HTTP proxy: no answer to CONNECT", at_http_proxy=True) from None
        except (ConnectionError, http.client.HTTPException) as error:
            raise AttemptError(f"HTTP proxy: {words_of(error)}", at_http_proxy=True) from None


class _Reply(http.client.HTTPResponse):
    """An answer whose every byte is read within the limit of its Wire."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_TimedStream(self.fp.detach(), sock, CURRENT.get()))

    def begin(self) -> None:
        """Read the final headers. http.client takes 103 (Early Hints) for them, Go does not.

        Cookies are dropped, as in Go. A server can send megabytes of them.
        """
        super().begin()
        while 100 <= self.status < 200 and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment]  # begin() reads again where there are none
            super().begin()
        for name in ("Set-Cookie", "Set-Cookie2"):
            del self.headers[name]


class _TimedStream(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, connection: socket.socket, wire: Wire) -> None:
        self._raw = raw
        self._connection = connection
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connection.settimeout(self._wire.left())
        count = self._raw.readinto(buffer)
        if count:
            self._wire.note_read()
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class LimitedAdapter(HTTPAdapter):
    """An adapter for requests: connections as above, which trust the certificates of `context`."""

    def __init__(self, context: ssl.SSLContext, resolver: Resolver, local_names: tuple[str, ...]) -> None:
        self._context = context
        self._resolver = resolver
        self._local_names = local_names
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the connections to servers that are reached directly."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools()

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:
        """Load nothing, since `context` has all certificates. requests reads its whole bundle for each connection."""
        del url, verify, cert
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return the login of an HTTP proxy."""
        login = authorization_in(proxy)
        return {"Proxy-Authorization": login} if login else {}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the connections to servers behind an HTTP or SOCKS proxy. Raises AttemptError for another one."""
        manager = self.proxy_manager.get(proxy)
        if manager is None:
            scheme = urlsplit(proxy).scheme
            if scheme in SCHEMES:
                manager = self.proxy_manager[proxy] = PoolManager(ssl_context=self._context)
                manager.pool_classes_by_scheme = self._pools(SocksProxy.of_url(proxy))
            elif scheme in ("http", "https"):
                manager = super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)
                manager.pool_classes_by_scheme = self._pools()
            else:
                words = f"proxy variables: {scheme} is not supported; use http, https or socks5"
                raise AttemptError(words, transient=False, kind="refused", at_http_proxy=True)
        return manager

    def _pools(self, through: SocksProxy | None = None) -> dict[str, type[HTTPConnectionPool]]:
        class Plain(_Connection):
            resolver = self._resolver
            socks = through
            response_class = _Reply

        class Encrypted(_TlsConnection):
            resolver = self._resolver
            socks = through
            local_names = self._local_names
            response_class = _Reply

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        return {"http": PlainPool, "https": EncryptedPool}
