"""A running bench/cacheserver, and what a job on a hosted runner is given to talk to it."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realproject import BenchError
from rig import go_program

ASK_LIMIT = 30  # seconds
BLOB_HOST = "bench.blob.core.windows.net"  # the official client reads ranges from such names only


@dataclass(frozen=True)
class Traffic:
    """How slow the service is: a wait as Go writes it, and millions of bytes per second (0: no limit)."""

    latency: str = "0s"
    stream_rate: float = 0
    link_rate: float = 0

    @property
    def flags(self) -> list[str]:
        """For bench/cacheserver."""
        rates = ["-stream-rate", str(int(self.stream_rate * 1e6)), "-link-rate", str(int(self.link_rate * 1e6))]
        return ["-latency", self.latency, *rates]


@dataclass(frozen=True)
class CacheService:
    """The service, under two URLs: signed URLs of the second name BLOB_HOST, those of the first 127.0.0.1."""

    url: str
    url_for_official: str
    authority: Path  # the certificate to trust

    def counts(self, *, clear: bool = False) -> dict[str, Any]:
        """What has been asked since the counts were last cleared: routes, faults, ranges, at-once, in, out (bytes)."""
        return dict(self._ask("counts", "DELETE" if clear else "GET"))

    def entries(self) -> list[dict[str, Any]]:
        """What has been saved, oldest first: key, version, bytes."""
        return list(self._ask("entries"))

    def _ask(self, what: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"{self.url}-/{what}", method=method)
        trust = ssl.create_default_context(cafile=str(self.authority))
        with urllib.request.urlopen(request, timeout=ASK_LIMIT, context=trust) as answer:
            return json.load(answer)


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
            "ACTIONS_RUNTIME_TOKEN": "token-of-the-bench",
            **{name: str(file) for name, file in files.items()},
        }


def built(scratch: Path) -> Path:
    """Build the server once for a bench."""
    return go_program("cacheserver", scratch)


@contextlib.contextmanager
def running(program: Path, scratch: Path, traffic: Traffic, *flags: str) -> Iterator[CacheService]:
    """Start the server, empty, and stop it afterwards."""
    authority = scratch / "cacheserver.pem"
    command = [str(program), "-ca-out", str(authority), "-blob-host", BLOB_HOST, *traffic.flags, *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            urls = [server.stdout.readline().strip() if server.stdout else "" for _ in range(2)]
            if not all(urls):
                raise BenchError("the cache service did not start; what it said is above")
            yield CacheService(urls[0], urls[1], authority)
        finally:
            server.terminate()
