"""A slow link in front of a server on loopback."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from socketserver import BaseRequestHandler

from tests.support.fakes.loopback import LoopbackServer, LoopbackService
from tests.support.fakes.meter import Meter

_PIECE = 16 << 10  # bytes of one connection between those of the others: 0.3 ms at 50 MB/s
_IN_FLIGHT = 512  # pieces of one connection that are on their way: 8 MB


class SlowLink(LoopbackService):
    """Passes bytes on to `port`, inside its `with` block.

    `latency` is the round trip in seconds, and a new connection takes one. `rate` is bytes per second of all
    connections together, each way (0: no limit).
    """

    def __init__(self, port: int, *, latency: float = 0.0, rate: float = 0.0) -> None:
        super().__init__()
        self.behind = port
        self.latency = latency
        self.down, self.up = Meter(rate), Meter(rate)

    def serve(self) -> LoopbackServer[SlowLink]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)


class _Handler(BaseRequestHandler):
    server: LoopbackServer[SlowLink]

    def handle(self) -> None:
        link = self.server.owner
        if link.stopped.wait(link.latency):
            return
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", link.behind)) as behind:
            for end in (self.request, behind):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_pass_on, args=(behind, self.request, link.down, link))
            back.start()
            _pass_on(self.request, behind, link.up, link)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket, meter: Meter, link: SlowLink) -> None:
    """Until one of the two ends; then the other gets its end too, when what was on its way has arrived."""
    pieces: queue.Queue[tuple[float, bytes]] = queue.Queue(_IN_FLIGHT)
    arriving = threading.Thread(target=_deliver, args=(pieces, target))
    arriving.start()
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            seconds = meter.admit(len(piece))
            if seconds > 0 and link.stopped.wait(seconds):
                break
            pieces.put((time.monotonic() + link.latency / 2, piece))
    pieces.put((time.monotonic() + link.latency / 2, b""))
    arriving.join()
    with contextlib.suppress(OSError):
        source.shutdown(socket.SHUT_RD)


def _deliver(pieces: queue.Queue[tuple[float, bytes]], target: socket.socket) -> None:
    """Send each piece when it is due. An empty one ends the connection; if the target is gone, the rest is dropped."""
    is_open = True
    while True:
        due, piece = pieces.get()
        seconds = due - time.monotonic()
        if is_open and seconds > 0:
            time.sleep(seconds)
        if not piece:
            break
        try:
            if is_open:
                target.sendall(piece)
        except OSError:
            is_open = False
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
