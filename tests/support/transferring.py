"""One file over HTTP in this process, as the proxy walk gets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from go_prefetch.base.retry import Deadline
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Received, Timeouts, Wire
from go_prefetch.web.transfer import Transfer


def received(
    url: str, destination: Path, *, connect: float = 5.0, stall: float = 20.0, seconds: float = 60.0, **options: Any
) -> Received:
    """The file at `url`, within these limits in seconds. `options` are HttpClient's. Raises AttemptError."""
    client = HttpClient(Timeouts(connect, stall), **{"web": HttpSettings(), **options})
    with destination.open("w+b") as out:
        return Transfer(client).get(url, out, 1 << 26, Deadline.after(seconds), Wire())
