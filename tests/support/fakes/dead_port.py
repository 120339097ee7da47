"""Ports without a server: one drops what comes in, as a firewall does, the other refuses it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

_ENOUGH = 8  # connections that fill a queue of one, whatever a system adds to it


@contextlib.contextmanager
def dead_port() -> Iterator[int]:
    """Its number. Connections to it are not answered: the queue of a listener that accepts none is full."""
    with contextlib.ExitStack() as closing:
        listener = closing.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(_ENOUGH):
            filling = closing.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """Its number. It is held until the block ends: a free port may soon belong to another program."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]
