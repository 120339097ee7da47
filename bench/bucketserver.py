"""One SeaweedFS with a bucket, what its gateway counts, and a slow link in front of it in a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.managers import BaseManager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.fakes.slow_link import SlowLink
from tests.support.servers.seaweedfs import WRITER, SeaweedFS

POOL = "go"  # the prefix of the pool in its bucket
# A client of one stream, with the login of its environment.
CURL = 'curl -sSf --aws-sigv4 "aws:amz:$AWS_REGION:s3" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
_MB_OF_A_VOLUME = 1024
_REQUESTS = re.compile(r'SeaweedFS_s3_request_total\{bucket="(?P<bucket>[^"]*)",code="(\d+)",type="(\w+)"\} (\S+)')
_SENT = re.compile(r'SeaweedFS_s3_bucket_traffic_sent_bytes_total\{bucket="(?P<bucket>[^"]*)"\} (\S+)')
_RECEIVED = re.compile(r'SeaweedFS_s3_bucket_traffic_received_bytes_total\{bucket="(?P<bucket>[^"]*)"\} (\S+)')


@dataclass(frozen=True)
class Link:
    """The way to the server: seconds of a round trip, and millions of bytes per second (0: no limit)."""

    latency: float = 0
    rate: float = 0

    @property
    def shown(self) -> str:
        """Return the link's name in a table."""
        parts = [f"{self.rate:g} MB/s"] if self.rate else []
        return ", ".join([*parts, *([f"{self.latency * 1e3:g} ms"] if self.latency else [])]) or "no limit"


@dataclass(frozen=True)
class Counts:
    """What the gateway has counted of one bucket. Bytes are those of objects."""

    requests: Counter[str]  # by method and status, such as `PUT 412`
    sent: int
    received: int

    def __sub__(self, earlier: Counts) -> Counts:
        """Return what has been added since then."""
        requests = self.requests - earlier.requests
        return Counts(requests, self.sent - earlier.sent, self.received - earlier.received)


@dataclass(frozen=True)
class BucketServer:
    """A server, and one bucket of it."""

    server: SeaweedFS
    bucket: str

    def new_bucket(self) -> BucketServer:
        """Return the same server with an empty bucket."""
        return BucketServer(self.server, self.server.new_bucket())

    @property
    def store(self) -> str:
        """Return the pool as `--store` takes it."""
        return f"s3://{self.bucket}/{POOL}"

    def environ(self, url: str = "") -> dict[str, str]:
        """Return the environment of a client that may write. See SeaweedFS.variables."""
        return self.server.variables(WRITER, url)

    def put(self, name: str, file: Path) -> None:
        """Write a file to an object beside the pool."""
        url = f"{self.server.s3_url}/{self.bucket}/{name}"
        command = ["bash", "-c", f'{CURL} -T "{file}" "{url}"']
        subprocess.run(command, env={**os.environ, **self.environ()}, check=True)

    def counts(self) -> Counts:
        """Return what the gateway has counted of this bucket so far."""
        lines = self.server.metrics()
        requests = Counter[str]()
        for bucket, status, method, number in _REQUESTS.findall(lines):
            if bucket == self.bucket:
                requests[f"{method} {status}"] += int(float(number))
        return Counts(requests, *(self._bytes(pattern, lines) for pattern in (_SENT, _RECEIVED)))

    def _bytes(self, pattern: re.Pattern[str], lines: str) -> int:
        return sum(int(float(number)) for bucket, number in pattern.findall(lines) if bucket == self.bucket)


class Relay:
    """A slow link. An object of this class lives in the link's process."""

    def __init__(self, port: int, latency: float, rate: float) -> None:
        self._link = SlowLink(port, latency=latency, rate=rate * 1e6)

    def start(self) -> str:
        """Pass bytes on; return the URL."""
        self._link.start()
        return self._link.url

    def close(self) -> None:
        """Break off every connection."""
        self._link.close()


class _Process(BaseManager):
    """The link's process."""


_Process.register("Relay", Relay)


@contextlib.contextmanager
def bucket_server(scratch: Path) -> Iterator[BucketServer]:
    """Start the server with an empty bucket."""
    with SeaweedFS(scratch / "seaweedfs", volumes=32, volume_mb=_MB_OF_A_VOLUME) as server:
        yield BucketServer(server, server.new_bucket())


@contextlib.contextmanager
def reached_by(server: BucketServer, link: Link) -> Iterator[str]:
    """Yield the URL of the gateway at the other end of the link. Without any limit it is the gateway's own."""
    if link == Link():
        yield server.server.s3_url
        return
    with _Process(ctx=multiprocessing.get_context("spawn")) as process:
        port = server.server.ports[6]
        relay = process.Relay(port, link.latency, link.rate)  # type: ignore[attr-defined]  # registered above
        try:
            yield relay.start()
        finally:
            relay.close()
