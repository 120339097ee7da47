"""The tests' fake of GitHub's cache service in a process of its own, and what a job on a hosted runner gets."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

import trustme

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.fakes import cache_service as fake
from tests.support.fakes.cache_service import faults
from tests.support.fakes.tls import server_tls

BLOB_HOST = "bench.blob.core.windows.net"  # the official client reads ranges from such names only
TOKEN = "token-of-the-bench"
FAULTS = (*faults.QUICK, faults.SILENCE, faults.STUCK, faults.HTML)


@dataclass(frozen=True)
class Traffic:
    """How slow the service is: seconds before each answer, and millions of bytes per second (0: no limit)."""

    latency: float = 0
    stream_rate: float = 0
    link_rate: float = 0


@dataclass(frozen=True)
class Unreliable:
    """How many of all requests fail, and which ones: the n-th of a kind has the same fate in every run."""

    share: float = 0
    seed: int = 0


class Server:
    """The fake over TLS. An object of this class lives in the server's process."""

    def __init__(self, authority: Path, traffic: Traffic, unreliable: Unreliable, options: dict[str, Any]) -> None:
        trusted = trustme.CA()
        trusted.cert_pem.write_to_path(str(authority))
        self._service = fake.CacheService(
            fake.Token(TOKEN),
            latency=traffic.latency,
            rate=traffic.stream_rate * 1e6,
            link_rate=traffic.link_rate * 1e6,
            tls=server_tls(trusted, "127.0.0.1", BLOB_HOST),
            **options,
        )
        self._service.inject("*", FAULTS, times=None, share=unreliable.share, seed=unreliable.seed)

    def start(self) -> str:
        """Serve; return the URL."""
        self._service.start()
        return f"{self._service.url}/"

    def close(self) -> None:
        """Break off every connection."""
        self._service.close()

    def counts(self, *, clear: bool) -> dict[str, Any]:
        """See CacheService.counts."""
        requests, at_once = self._service.requests, self._service.most_at_once
        if clear:
            self._service.clear()
        return {
            "routes": dict(Counter(request.route for request in requests)),
            "ranges": sum(bool(request.range) for request in requests),
            "at-once": at_once,
            "in": sum(request.received for request in requests),
            "out": sum(request.sent for request in requests if request.method != "HEAD"),
        }

    def entries(self) -> list[dict[str, Any]]:
        """See CacheService.entries."""
        return [{"key": one.key, "version": one.version, "bytes": one.size} for one in self._service.entries]

    def evict_all_but(self, kept: int) -> None:
        """See CacheService.evict_all_but."""
        for entry in list(self._service.entries)[kept:]:
            self._service.entries.evict(entry.number)


class _Process(BaseManager):
    """The server's process."""


_Process.register("Server", Server)


@dataclass(frozen=True)
class CacheService:
    """The service, under two URLs: signed URLs of the second name BLOB_HOST, those of the first 127.0.0.1."""

    url: str
    authority: Path  # the certificate to trust
    server: Any  # a Server, called from this process

    @property
    def url_for_official(self) -> str:
        """The second URL. A client that is given it must find 127.0.0.1 under that name."""
        return self.url.replace("127.0.0.1", BLOB_HOST)

    def counts(self, *, clear: bool = False) -> dict[str, Any]:
        """Return what was requested since the counts were last cleared: routes, ranges, at-once, in, out (bytes)."""
        return dict(self.server.counts(clear=clear))

    def entries(self) -> list[dict[str, Any]]:
        """Return what was saved, oldest first: key, version, bytes."""
        return list(self.server.entries())

    def evict_all_but(self, kept: int) -> None:
        """Forget all entries but the oldest ones, so that the next run finds what the last one has found."""
        self.server.evict_all_but(kept)


@dataclass(frozen=True)
class Job:
    """The variables and files of one run on a runner; `folder` is the runner's, kept from run to run."""

    folder: Path
    url: str
    number: int = 1

    def environ(self) -> dict[str, str]:
        """As a runner gives them to an action's JavaScript, which passes them on; the files are made empty."""
        temporary = self.folder / "temp"
        temporary.mkdir(parents=True, exist_ok=True)
        files = {name: self.folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": str(self.number),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_EVENT_NAME": "push",
            "RUNNER_TEMP": str(temporary),
            "ACTIONS_CACHE_SERVICE_V2": "True",
            "ACTIONS_RESULTS_URL": self.url,
            "ACTIONS_RUNTIME_TOKEN": TOKEN,
            **{name: str(file) for name, file in files.items()},
        }


@contextlib.contextmanager
def running(
    scratch: Path, traffic: Traffic, unreliable: Unreliable = Unreliable(), **options: Any
) -> Iterator[CacheService]:
    """Start the service, empty, and stop it afterwards. `options` are those of the fake."""
    authority = scratch / "cacheservice.pem"
    with _Process(ctx=multiprocessing.get_context("spawn")) as process:
        server = process.Server(authority, traffic, unreliable, options)  # type: ignore[attr-defined]  # registered above
        try:
            yield CacheService(server.start(), authority, server)
        finally:
            server.close()
