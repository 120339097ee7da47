"""The SOCKS5 client: whatever a proxy answers, and what it is asked."""

from __future__ import annotations

import contextlib
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base.retry import AttemptError
from go_prefetch.web.socks import SocksProxy

GOOD = b"\x05\x00" + b"\x05\x00\x00\x01" + b"\x00" * 6


def opened(proxy: SocksProxy, answers: bytes, host: str = "a.test", port: int = 443) -> bytes:
    """What the proxy was sent. Raises what `open` raises."""
    client, server = socket.socketpair()
    with client, server:
        server.sendall(answers)
        server.shutdown(socket.SHUT_WR)
        try:
            proxy.open(client, host, port, lambda: 5.0)
        finally:
            client.shutdown(socket.SHUT_WR)
            sent = b"".join(iter(lambda: server.recv(1 << 16), b""))
    return sent


def test_open_without_a_login_offers_none() -> None:
    assert opened(SocksProxy.of_url("socks5://proxy.test"), GOOD) == (
        b"\x05\x01\x00" + b"\x05\x01\x00\x03\x06a.test\x01\xbb"
    )


def test_open_with_a_login_sends_it_if_the_proxy_wants_it() -> None:
    proxy = SocksProxy.of_url("socks5://me:p%40ss@proxy.test:1081")
    assert (proxy.host, proxy.port) == ("proxy.test", 1081)
    sent = opened(proxy, b"\x05\x02\x01\x00" + GOOD[2:])
    assert sent.startswith(b"\x05\x02\x00\x02" + b"\x01\x02me\x04p@ss" + b"\x05\x01")
    assert b"p@ss" not in opened(proxy, GOOD)


def test_open_refuses_what_has_no_place_in_the_protocol() -> None:
    with pytest.raises(AttemptError, match="255 bytes"):
        opened(SocksProxy("proxy.test", 1), GOOD, host="a" * 256)


def test_login_is_not_in_the_text_of_a_proxy() -> None:
    assert "s3cr3t" not in repr(SocksProxy.of_url("socks5://me:s3cr3t@proxy.test"))


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda rest: b"\x05\x00" + rest))
def test_open_of_any_answer_raises_documented_errors_only(answers: bytes) -> None:
    with contextlib.suppress(AttemptError, OSError):
        opened(SocksProxy.of_url("socks5://me:pw@proxy.test"), answers)
