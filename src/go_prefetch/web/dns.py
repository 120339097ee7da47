"""Names to addresses, with a limit: the system's own look-up has none, and none can be given to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from go_prefetch.web.addresses import address_of

# As socket.getaddrinfo returns them: family, type, protocol, canonical name, address.
Found = tuple[Any, Any, int, str, Any]
Lookup = Callable[..., "list[Found]"]

_KEPT_SECONDS = 60.0


class Resolver:
    """Looks names up in threads of its own, one for each name at a time, and remembers the answers for a minute."""

    def __init__(self, lookup: Lookup = socket.getaddrinfo) -> None:
        self._lookup = lookup
        self._known: dict[tuple[str, int], _Answer] = {}
        self._lock = threading.Lock()

    def addresses(self, host: str, port: int, seconds: float) -> list[Found]:
        """Where `host` is. Raises socket.gaierror for an unknown one, and where nobody says within `seconds`."""
        if address_of(host):
            return self._lookup(host, port, 0, socket.SOCK_STREAM)
        with self._lock:
            answer = self._known.get((host, port))
            if answer is None or answer.is_old:
                answer = self._known[host, port] = _Answer()
                arguments = (self._lookup, host, port)
                threading.Thread(target=answer.ask, args=arguments, daemon=True).start()
        if not answer.done.wait(seconds):
            raise socket.gaierror(socket.EAI_AGAIN, f"nobody says within {seconds:g}s where {host} is")
        if answer.error:
            raise answer.error
        return answer.found


class _Answer:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.found: list[Found] = []
        self.error: OSError | None = None
        self._asked = time.monotonic()

    def ask(self, lookup: Lookup, host: str, port: int) -> None:
        try:
            self.found = lookup(host, port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # UnicodeError: a label that no name can have
            self.error = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, str(error))
        finally:
            self.done.set()

    @property
    def is_old(self) -> bool:
        """Whether to ask anew: an error is not remembered."""
        return time.monotonic() - self._asked > _KEPT_SECONDS or (self.done.is_set() and self.error is not None)
