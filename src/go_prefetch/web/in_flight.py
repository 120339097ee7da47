"""One request as it stands: how far it has come, how long it may still be waited for, and its end from outside."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from go_prefetch.base.retry import AttemptError, Deadline

# Less than this is no progress: a server that drips is one that is silent.
_STEP = 8192
_SHORTEST = 0.05


@dataclass(frozen=True)
class Timeouts:
    """Seconds for a connection, the look-up of the name included, and for silence on it."""

    connect: float
    stall: float

    def within(self, deadline: Deadline) -> tuple[float, float]:
        """Return both, shortened to what the deadline leaves."""
        connect, stall = (max(_SHORTEST, min(limit, deadline.left())) for limit in (self.connect, self.stall))
        return connect, stall


@dataclass(frozen=True)
class Received:
    """How a file came: its bytes, whether a login was needed, what broke off on the way and was gone on with."""

    bytes: int
    has_login: bool = False
    interruptions: tuple[AttemptError, ...] = ()


class Wire:
    """What one thread waits for and another may look at and cut. Times are seconds, on one monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.is_cut = False
        self.is_connected = False  # whether the request is under way over a connection
        self.first_byte: float | None = None  # from the start to the answer's headers
        self.peer = ""  # the address that answered last
        self.only_public = False  # whether it was led here from the public internet, and must not be led inwards
        self.stall = 0.0  # how long it may be silent
        self.phases: list[tuple[str, float, float]] = []  # name, begin, end
        self._clock = clock
        self._started = self._moved = clock()
        self._until = float("inf")
        self._unnoted = 0
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def allow(self, seconds: float) -> None:
        """From now on wait that long, all reads together."""
        self._until = self._clock() + seconds

    def left(self) -> float:
        """Seconds left of what was allowed. Raises TimeoutError where none are."""
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def answered(self) -> None:
        """The headers are here."""
        self.first_byte = self._clock() - self._started
        self._moved = self._clock()

    def came(self, size: int) -> None:
        """That many bytes of the body are here."""
        self._unnoted += size
        if self._unnoted >= _STEP:
            self._unnoted, self._moved = 0, self._clock()

    @property
    def silent_for(self) -> float:
        """Seconds without progress."""
        return self._clock() - self._moved

    def attach(self, connection: socket.socket | None, *, connected: bool = True) -> None:
        """The connection it goes over, or is being made. Raises ConnectionAbortedError where it was cut before."""
        with self._lock:
            self._socket = connection
            self.is_connected = connected
            if self.is_cut:
                raise ConnectionAbortedError(errno.ECONNABORTED, "cut")

    def detach(self) -> None:
        """It is over: the connection may serve another request."""
        with self._lock:
            self._socket = None

    def cut(self) -> None:
        """Wake whoever waits for it, with an error. TLS or not: the connection below is shut down."""
        with self._lock:
            self.is_cut = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Note how long the block took."""
        began = self._clock()
        try:
            yield
        finally:
            self.phases.append((name, began, self._clock()))
