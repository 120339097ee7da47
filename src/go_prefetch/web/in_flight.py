"""The state of one request: its progress, the time it may still wait, and its cancellation by another thread."""

from __future__ import annotations

import contextlib
import errno
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.web.addresses import Reach

if TYPE_CHECKING:
    import socket

# Less than this is not progress: a server that sends a trickle counts as silent.
_STEP = 8192
_SHORTEST = 0.05
_LOOK_EVERY = 0.1  # seconds, for a cancellation


@dataclass(frozen=True)
class Timeouts:
    """Seconds for a connection, including the look-up of the name, for silence on it, and for a limit of the server.

    Without `limit`, a refusal because of a limit is an answer like any other.
    """

    connect: float
    stall: float
    limit: float | None = None

    def within(self, deadline: Deadline) -> tuple[float, float]:
        """Return the first two, shortened to the time that is left."""
        connect, stall = (max(_SHORTEST, min(limit, deadline.left())) for limit in (self.connect, self.stall))
        return connect, stall


@dataclass(frozen=True)
class Received:
    """How a file arrived: its bytes, whether a login was needed, and the interruptions before it was complete."""

    bytes: int
    has_login: bool = False
    interruptions: tuple[AttemptError, ...] = ()
    is_joined: bool = False  # whether it consists of parts of several answers


class Phase(NamedTuple):
    """A part of a request, between two moments of the monotonic clock."""

    name: str
    began: float
    ended: float
    is_complete: bool  # False: an error ended it


class Turn(NamedTuple):
    """A wait for a server that has refused requests because of a limit. Moments of the monotonic clock."""

    began: float
    ended: float


@dataclass(frozen=True)
class Timing:
    """Seconds of the phases of a request; None if there was no such phase, or an error ended it.

    Name, connection and handshake are those of the first server or HTTP proxy, whatever the redirects.
    """

    dns: float | None
    connect: float | None
    tls: float | None
    first_byte: float | None  # from the end of the first request to the first byte of the last answer
    total: float


class Wire:
    """A wait of one thread that another thread may watch and cancel. Times are seconds, on one monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.is_cut = False
        self.may_resume = True  # whether the rest may be requested if the answer breaks off
        self.patience = math.inf  # seconds that it may wait for its turn at a server that has a limit
        self.refusals = 0  # by such a server
        self.turns: list[Turn] = []  # what it has waited there
        self.is_connected = False  # whether the request is running over a connection
        self._is_kept = False  # whether that connection served another request before
        self.first_byte: float | None = None  # from the start to the answer's headers
        self.received = 0  # bytes of bodies
        self.peer = ""  # the address that answered last, or that is being asked
        self.login: Mapping[str, str] = {}  # headers with a login, for the first server only
        self.reach = Reach.ANYWHERE  # less once the public internet has led here by a redirect
        self.stall = 0.0  # how long it may be silent
        self.phases: list[Phase] = []
        self._clock = clock
        self.started = self._moved = clock()
        self._is_waiting = False
        self._until = float("inf")
        self._unnoted = 0
        self._first_request: float | None = None  # the moment it was sent
        self._first_read: float | None = None  # of the answer that is being read
        self._last_read = float("-inf")
        self._socket: socket.socket | None = None
        self._led: list[Wire] = []
        self._lock = threading.Lock()

    def allow(self, seconds: float) -> None:
        """Allow a wait of that long from now on, for all reads together."""
        self._until = self._clock() + seconds

    def left(self) -> float:
        """Return the seconds left of the allowed time. Raises TimeoutError if none are left."""
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def note_answer(self) -> None:
        """Note that the headers have arrived."""
        self.first_byte = self._clock() - self.started
        self._moved = self._clock()

    def note_progress(self, size: int) -> None:
        """Note that this many bytes of the body have arrived."""
        self.received += size
        self._unnoted += size
        if self._unnoted >= _STEP:
            self._unnoted, self._moved = 0, self._clock()

    @property
    def silent_for(self) -> float:
        """Return the seconds without progress. Waiting for a turn is none of the request's."""
        return 0.0 if self._is_waiting else self._clock() - self._moved

    def patient(self, seconds: float) -> Wire:
        """Return this wire, after it has got that much patience with servers that have a limit."""
        self.patience = seconds
        return self

    def wait_for_turn(self, seconds: float, deadline: Deadline) -> bool:
        """Wait before a request starts. Return False if the request was cancelled, or no time is left."""
        began = self._clock()
        self._is_waiting = True
        try:
            with self.phase("rate limit"):
                while (left := began + seconds - self._clock()) > 0:
                    if self.is_cut or not deadline.wait(min(left, _LOOK_EVERY)):
                        return False
            return True
        finally:
            self.turns.append(Turn(began, self._clock()))
            self.started = self._moved = self._clock()
            self._is_waiting = False

    def attach(self, connection: socket.socket | None, *, connected: bool = True) -> None:
        """Set the connection that is used or being made. Raises ConnectionAbortedError if it was cancelled before."""
        with self._lock:
            self._socket = connection
            self.is_connected = connected
            if self.is_cut:
                raise ConnectionAbortedError(errno.ECONNABORTED, "cut")

    def detach(self) -> None:
        """Release the connection, which may serve another request."""
        with self._lock:
            self._socket = None

    def lead(self, other: Wire) -> None:
        """Cancel another wire together with this one."""
        with self._lock:
            self._led.append(other)
            if self.is_cut:
                other.cut()

    def cut(self) -> None:
        """Cancel: wake the waiting thread with an error. The connection is shut down below TLS."""
        with self._lock:
            self.is_cut = True
            for other in self._led:
                other.cut()
            if self._socket is not None:
                import socket  # noqa: PLC0415 - it is loaded, because a connection is attached

                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Record the duration of the block, without the phases and answers in it."""
        began = self._clock()
        is_complete = False
        try:
            yield
            is_complete = True
        finally:
            began = max(began, self._last_read, *(phase.ended for phase in self.phases))
            self.phases.append(Phase(name, began, self._clock(), is_complete))

    def note_connection(self, *, is_kept: bool) -> None:
        """Note that a request begins, over a new connection or one that was kept after another request."""
        self._is_kept = is_kept
        self._first_read = None

    @property
    def is_stale(self) -> bool:
        """Return whether the connection was kept, and has brought nothing of the answer."""
        return self._is_kept and self._first_read is None and not self.is_cut

    def note_request(self) -> None:
        """Note that the request is sent. Its answer comes next."""
        self._first_read = None
        if self._first_request is None:
            self._first_request = self._clock()

    def note_read(self) -> None:
        """Note that bytes of an answer's head or body have arrived."""
        self._last_read = self._clock()
        if self._first_read is None:
            self._first_read = self._last_read

    def timing(self) -> Timing:
        """Return the duration of the phases until now."""
        sent = self._first_request
        seconds = {
            phase.name: phase.ended - phase.began
            for phase in self.phases
            if phase.is_complete and (sent is None or phase.ended <= sent)
        }
        return Timing(
            dns=seconds.get("DNS"),
            connect=seconds.get("connect"),
            tls=seconds.get("TLS"),
            first_byte=None if sent is None or self._first_read is None else self._first_read - sent,
            total=self._clock() - self.started,
        )
