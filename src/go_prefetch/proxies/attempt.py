"""One request for one file at one proxy: its result, and its effect on the proxy's health."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from go_prefetch.base.retry import AttemptError, Cause, Deadline
from go_prefetch.golang.goproxy import Proxy
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder
from go_prefetch.model.cold_runs import Span, length
from go_prefetch.modfiles.staging import InUseError, StructureError, received
from go_prefetch.proxies.circuit_breaker import CircuitBreaker
from go_prefetch.proxies.file_proxy import copied
from go_prefetch.web.in_flight import Received, Wire

# URL, an empty file, maximum bytes, deadline, wire. Raises AttemptError. See transfer.py.
Get = Callable[[str, BinaryIO, int, Deadline, Wire], Received]


@dataclass(frozen=True)
class Outcome:
    """The result of one request."""

    proxy: Proxy
    received: Received | None = None
    error: AttemptError | None = None
    trouble: OSError | None = None  # of the folder on this machine


class Limit:
    """What a limit of one proxy did to the requests of all threads."""

    def __init__(self) -> None:
        self.refusals = 0
        self._lock = threading.Lock()
        self._waits: list[Span] = []

    def note(self, wire: Wire) -> None:
        """Add the refusals that a request met, and its waits."""
        with self._lock:
            self.refusals += wire.refusals
            self._waits += [Span(*turn, bytes=0) for turn in wire.turns]

    @property
    def seconds(self) -> float:
        """Return the seconds in which at least one request waited."""
        with self._lock:
            return length(self._waits)


class ProxyAttempt:
    """Sends requests to proxies.

    Results go to the proxy's `health` and `limits`, the seconds of an answer to `record_latency`.
    """

    def __init__(
        self,
        get: Get,
        deadline: Deadline,
        health: Mapping[Proxy, CircuitBreaker],
        limits: Mapping[Proxy, Limit],
        record_latency: Callable[[float], None],
    ) -> None:
        self._get = get
        self._deadline = deadline
        self._health = health
        self._limits = limits
        self._record_latency = record_latency
        self._joined: set[ModuleFile] = set()  # Go may have rejected what was joined, so it is not joined again

    def attempt(
        self, proxy: Proxy, file: ModuleFile, folder: ModuleFolder, wire: Wire, finish: Callable[[], None]
    ) -> Outcome:
        """Make one request. `finish` is called once the file is complete and has a valid structure."""
        health = self._health[proxy]
        health.asked()
        wire.may_resume = file.kind == "zip" and file not in self._joined
        try:
            with received(folder, file, finish) as content:
                came = self._transfer(proxy, file, content, wire)
        except AttemptError as error:
            return self._failed(proxy, error, wire)
        except StructureError as error:
            # Go parses a .info before it goes on to the next proxy, and the other kinds after that.
            return self._failed(
                proxy,
                AttemptError(str(error), kind="error" if file.kind == "info" else "content", cause=Cause.CONTENT),
                wire,
            )
        except InUseError as error:
            return self._failed(proxy, AttemptError(str(error), transient=False), wire)
        except FileNotFoundError:  # go removes V.zip*.tmp before it downloads V.zip, which may be that of another run
            return self._failed(proxy, AttemptError("the file was taken away while it came"), wire)
        except OSError as error:
            return Outcome(proxy, error=AttemptError(str(error), transient=False), trouble=error)
        finally:
            self._limits[proxy].note(wire)
        self._succeeded(proxy, came, wire)
        return Outcome(proxy, came)

    def _succeeded(self, proxy: Proxy, came: Received, wire: Wire) -> None:
        for _ in came.interruptions:
            self._health[proxy].failed()
        self._health[proxy].answered()
        for other in self._health:
            if other is not proxy and other.on_any_error:
                self._health[other].another_answered()
        if wire.first_byte is not None:
            self._record_latency(wire.first_byte)

    def _failed(self, proxy: Proxy, error: AttemptError, wire: Wire) -> Outcome:
        health = self._health[proxy]
        if wire.is_cut or error.kind == "overtaken":
            health.answered() if wire.first_byte is not None else health.failed(counts=False)
            return Outcome(proxy, error=AttemptError("overtaken by another request", kind="overtaken"))
        if error.not_found or error.kind == "limited":
            health.answered()
        elif error.transient:
            health.failed()
        else:
            health.refused()
        return Outcome(proxy, error=error)

    def _transfer(self, proxy: Proxy, file: ModuleFile, out: BinaryIO, wire: Wire) -> Received:
        if urlsplit(proxy.url).scheme == "file":
            return copied(proxy.url, file, out, self._deadline, wire)
        came = self._get(f"{proxy.url}/{file.url_path}", out, MAX_BYTES[file.kind], self._deadline, wire)
        if came.is_joined:
            self._joined.add(file)
        return came
