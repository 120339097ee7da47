"""What comes back of one request: the phases it has passed, its status, as much of its body as is wanted."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field, replace

from go_prefetch.doctor import error_text
from go_prefetch.doctor.measurement import Sample

_PIECE = 1 << 15
_SHORTEST_LIMIT = 0.05


@dataclass(frozen=True)
class Reply:
    """What came of one request. `body` is its beginning, as far as it was asked for."""

    sample: Sample
    status: int = 0
    body: bytes = b""
    size: int = 0  # of the whole file, as the headers say; 0: they do not
    later_bytes: int = 0  # of the body, after its first piece
    later_seconds: float = 0.0
    via: str = ""  # the HTTP proxy on the way

    @property
    def not_found(self) -> bool:
        """Whether the server said that there is no such file."""
        return self.status in (404, 410)


@dataclass(frozen=True)
class BodyLimit:
    """How much of a body is taken: to keep, or just to see it pass."""

    most_bytes: int
    most_seconds: float
    keep: bool = True
    only_first_byte: bool = False  # ask for one byte; how long the file is then stands in the headers


@dataclass
class Trip:
    """The phases of one request as they are passed, and which one is under way."""

    started: float = field(default_factory=time.monotonic)
    phase: str = ""
    limit: float = 0.0
    dns: float | None = None
    tcp: float | None = None
    tls: float | None = None
    asked_at: float = 0.0
    first_byte: float | None = None
    only_public: bool = False  # whether it has been on the public internet, and must not be led inwards from there

    def enter(self, phase: str, limit: float) -> float:
        """Begin a phase, and return the seconds it has."""
        self.phase, self.limit = phase, max(_SHORTEST_LIMIT, limit)
        return self.limit

    def sample(self, failure: str = "", *, lost: bool = False) -> Sample:
        """The phases so far."""
        seconds = time.monotonic() - self.started
        return Sample(self.dns, self.tcp, self.tls, self.first_byte, seconds, failure, lost)


def with_body(answer: http.client.HTTPResponse, reply: Reply, appetite: BodyLimit, trip: Trip) -> Reply:
    """The reply with its body, or the first `most_bytes` of it; a body that ends too early is lost."""
    kept: list[bytes] = []
    first_at = last_at = 0.0
    total = first = 0
    failure = ""
    try:
        while total < appetite.most_bytes and (piece := answer.read(min(_PIECE, appetite.most_bytes - total))):
            last_at = time.monotonic()
            if not total:
                first_at, first = last_at, len(piece)
            total += len(piece)
            if appetite.keep:
                kept.append(piece)
        if total < appetite.most_bytes and answer.length:
            failure = error_text.of_error(http.client.IncompleteRead(b""), trip.phase, trip.limit)
    except TimeoutError as error:
        # Who wants to see bytes pass has seen them, if some came; who wants a file has none.
        failure = error_text.of_error(error, trip.phase, trip.limit) if appetite.keep or total == first else ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        failure = error_text.of_error(error, trip.phase, trip.limit)
    return replace(
        reply,
        sample=trip.sample(failure, lost=bool(failure)),
        body=b"".join(kept),
        later_bytes=total - first,
        later_seconds=last_at - first_at,
    )


def whole_size(answer: http.client.HTTPResponse) -> int:
    """Bytes of the whole file, as the headers say; 0 where they do not."""
    text = answer.headers.get("Content-Range", "").rpartition("/")[2] if answer.status == 206 else ""
    text = text or ("" if answer.status == 206 else answer.headers.get("Content-Length", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
