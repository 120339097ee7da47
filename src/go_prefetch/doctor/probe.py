"""One request at a time, each of its phases measured: DNS, TCP connect, TLS handshake, first byte, body."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from go_prefetch import __version__
from go_prefetch.base.retry import Deadline
from go_prefetch.doctor import error_text, sockets
from go_prefetch.doctor.response import BodyLimit, Reply, Trip, whole_size, with_body
from go_prefetch.doctor.route import Route, Unreachable, find_route
from go_prefetch.web.addresses import REDIRECTED_INWARDS, address_of, is_public, is_written_private
from go_prefetch.web.early_hints import FinalHead
from go_prefetch.web.http_settings import HttpSettings

_MAX_REDIRECTS = 10  # as net/http
_REDIRECTS = (301, 302, 303, 307, 308)


class Probe:
    """Asks with limits: `connect_timeout` for each step to a connection, `stall_timeout` for an answer to begin."""

    def __init__(
        self, web: HttpSettings, context: Callable[[], ssl.SSLContext], connect_timeout: float, stall_timeout: float
    ) -> None:
        self._web = web
        self._context = context
        self._connect_timeout = connect_timeout
        self._stall_timeout = stall_timeout

    def get(self, url: str, appetite: BodyLimit, deadline: Deadline) -> Reply:
        """Ask for `url` over a connection of its own. Whatever the network does is told in the sample."""
        trip = Trip()
        try:
            return self._follow(url, appetite, deadline, trip)
        except Unreachable as error:
            return Reply(trip.sample(str(error)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Reply(trip.sample(error_text.of_error(error, trip.phase, trip.limit), lost=True))

    def _follow(self, url: str, appetite: BodyLimit, deadline: Deadline, trip: Trip) -> Reply:
        first = find_route(self._web, url)
        for _ in range(_MAX_REDIRECTS + 1):
            route = find_route(self._web, url).with_login_of(first)
            with self._connected(route, deadline, trip) as sock:
                answer = self._ask(sock, route, appetite, deadline, trip)
                with answer:
                    if answer.status not in _REDIRECTS:
                        return self._taken(answer, route, appetite, trip)
                    url = _redirected(url, answer.headers.get("Location", ""))
        raise Unreachable(f"more than {_MAX_REDIRECTS} redirects")

    def _connected(self, route: Route, deadline: Deadline, trip: Trip) -> socket.socket:
        """A connection to the host, through the HTTP proxy if there is one. Only the first hop's phases count."""
        first_hop = trip.asked_at == 0.0
        host, port = (route.relay.host, route.relay.port) if route.relay else (route.host, route.port)
        at = time.monotonic()
        addresses = sockets.look_up(host, port, trip.enter("DNS", self._limit(deadline)))
        looked_up = time.monotonic()
        _refuse_inwards(route, [str(row[4][0]) for row in addresses], trip)
        if first_hop and not address_of(host):
            trip.dns = looked_up - at
        sock = sockets.connect(addresses, trip.enter("TCP", self._limit(deadline)))
        if first_hop:
            trip.tcp = time.monotonic() - looked_up
        if route.scheme != "https":
            return sock
        try:
            if route.relay:
                self._open_tunnel(sock, route, deadline, trip)
            begun = time.monotonic()
            sock = sockets.shake_hands(sock, self._context(), route.host, trip.enter("TLS", self._limit(deadline)))
        except BaseException:
            sock.close()
            raise
        if first_hop:
            trip.tls = time.monotonic() - begun
        return sock

    def _limit(self, deadline: Deadline) -> float:
        return min(self._connect_timeout, deadline.left())

    def _open_tunnel(self, sock: socket.socket, route: Route, deadline: Deadline, trip: Trip) -> None:
        assert route.relay  # noqa: S101 - its only caller has looked
        limit = trip.enter("CONNECT", self._limit(deadline))
        headers = {"Host": f"{route.host}:{route.port}"} | _proxy_login(route)
        _send(sock, f"CONNECT {_host_and_port(route)} HTTP/1.1", headers, limit)
        stream = sockets.BoundedStream(sock, limit, time.monotonic() + limit)
        answer = FinalHead(stream, method="CONNECT")  # type: ignore[arg-type]  # all it asks is makefile
        answer.begin()
        if answer.status != 200:
            status = error_text.plain(f"{answer.status} {answer.reason}")
            raise Unreachable(f"the HTTP proxy {route.relay} answered {status}")

    def _ask(
        self, sock: socket.socket, route: Route, appetite: BodyLimit, deadline: Deadline, trip: Trip
    ) -> http.client.HTTPResponse:
        limit = trip.enter("answer", min(self._stall_timeout, deadline.left()))
        absolute = route.relay is not None and route.scheme == "http"
        target = f"http://{route.authority}{route.target}" if absolute else route.target
        headers = {
            "Host": route.authority,
            "User-Agent": f"go-prefetch/{__version__}",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **({"Authorization": route.authorization} if route.authorization else {}),
            **({"Range": "bytes=0-0"} if appetite.only_first_byte else {}),
            **(_proxy_login(route) if absolute else {}),
        }
        _send(sock, f"GET {target} HTTP/1.1", headers, limit)
        sent = time.monotonic()
        trip.asked_at = trip.asked_at or sent
        # The headers have `limit`; a body has what its taker allows from now on.
        stream = sockets.BoundedStream(sock, limit, sent + limit)
        answer = FinalHead(stream, method="GET")  # type: ignore[arg-type]  # all it asks is makefile
        answer.begin()
        trip.first_byte = (stream.first_byte_at or time.monotonic()) - trip.asked_at
        stream.extend(min(appetite.most_seconds, deadline.left()))
        return answer

    def _taken(self, answer: http.client.HTTPResponse, route: Route, appetite: BodyLimit, trip: Trip) -> Reply:
        reply = Reply(
            trip.sample(), answer.status, size=whole_size(answer), via=str(route.relay) if route.relay else ""
        )
        if answer.status not in (200, 206):
            failure = "" if reply.not_found else error_text.plain(f"{answer.status} {answer.reason}".strip())
            return replace(reply, sample=trip.sample(failure))
        trip.enter("body", appetite.most_seconds)
        return with_body(answer, reply, appetite, trip)


def _refuse_inwards(route: Route, addresses: list[str], trip: Trip) -> None:
    """Raises Unreachable where a redirect leads from the public internet to a private address. See web.session."""
    public = list(map(is_public, addresses))
    if trip.only_public and (is_written_private(route.host) or not (route.relay or all(public))):
        raise Unreachable(REDIRECTED_INWARDS)
    trip.only_public = trip.only_public or route.relay is not None or any(public)


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads. Raises Unreachable where it leads from https to http, or nowhere."""
    target = urljoin(url, location)
    if not location or urlsplit(target).scheme not in ("http", "https") or not target.isprintable():
        raise Unreachable("redirected to nowhere")
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http":
        raise Unreachable("redirected from https to http")
    return target


def _send(sock: socket.socket, request: str, headers: dict[str, str], limit: float) -> None:
    lines = [request, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    sock.settimeout(limit)
    sock.sendall("\r\n".join(lines).encode("latin-1", errors="replace"))


def _proxy_login(route: Route) -> dict[str, str]:
    login = route.relay.authorization if route.relay else ""
    return {"Proxy-Authorization": login} if login else {}


def _host_and_port(route: Route) -> str:
    return f"[{route.host}]:{route.port}" if ":" in route.host else f"{route.host}:{route.port}"
