"""What a Wire knows of a request: its phases, by a clock that the test turns."""

from __future__ import annotations

import contextlib

import pytest

from go_prefetch.web.in_flight import Timing, Wire
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def connect(wire: Wire, clock: Clock, dns: float, tcp: float, tunnel: float, tls: float) -> None:
    """A connection with TLS, through the tunnel of an HTTP proxy where that takes time."""
    with wire.phase("TLS"):
        with wire.phase("DNS"):
            clock.now += dns
        with wire.phase("connect"):
            clock.now += tcp
        if tunnel:
            clock.now += tunnel
            wire.note_read()
        clock.now += tls


def test_every_phase_has_its_own_time(clock: Clock) -> None:
    """TLS without what comes before it: the name, the connection, the answer to CONNECT."""
    wire = Wire(clock)
    connect(wire, clock, dns=1, tcp=2, tunnel=4, tls=8)
    clock.now += 16  # sending
    wire.note_request()
    clock.now += 32
    wire.note_read()
    clock.now += 64  # the body
    wire.note_read()
    assert wire.timing() == Timing(dns=1, connect=2, tls=8, first_byte=32, total=127)


def test_redirects_count_for_the_first_byte_not_the_connection(clock: Clock) -> None:
    wire = Wire(clock)
    with wire.phase("connect"):
        clock.now += 1
    wire.note_request()
    clock.now += 2
    wire.note_read()
    connect(wire, clock, dns=4, tcp=8, tunnel=0, tls=16)
    wire.note_request()
    clock.now += 32
    wire.note_read()
    assert wire.timing() == Timing(dns=None, connect=1, tls=None, first_byte=62, total=63)


def test_a_phase_that_an_error_ends_has_no_time(clock: Clock) -> None:
    wire = Wire(clock)
    with contextlib.suppress(OSError), wire.phase("TLS"):
        with wire.phase("DNS"):
            clock.now += 1
        with wire.phase("connect"):
            clock.now += 2
            raise OSError
    assert wire.timing() == Timing(dns=1, connect=None, tls=None, first_byte=None, total=3)
    assert [phase.name for phase in wire.phases if not phase.is_complete] == ["connect", "TLS"]
