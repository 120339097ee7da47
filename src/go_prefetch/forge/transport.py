"""How requests reach a forge, and how much of an answer is taken: a page of a hundred runs has some 2 MB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from go_prefetch.base.retry import AttemptError
from go_prefetch.errors import ApiError
from go_prefetch.forge.access import Access
from go_prefetch.web.answer import Answer
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts

SECONDS = 60.0  # for one answer
PACKED = {"Accept-Encoding": "gzip"}
_LARGEST = 16 << 20  # bytes of one answer
_TIMEOUTS = Timeouts(connect=10.0, stall=30.0)


@dataclass(frozen=True)
class Reply:
    """An answer as it came. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


class Transport(Protocol):
    """How requests get there, with the login and the base URL."""

    def send(self, method: str, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """One request. Raises AttemptError for what the network does."""


def forge_client(access: Access, web: HttpSettings, *, follows: bool = True) -> HttpClient:
    """For this API and what it names. Without netrc: the token is given, and a log's URL is its own credential."""
    try:
        return HttpClient(
            _TIMEOUTS,
            web=web,
            caller_authenticates=True,
            trusted_origin=access.api_url,
            follows=follows,
        )
    except AttemptError as error:
        raise ApiError("api-unreachable", "certificates", words=error.words) from None


def whole(answer: Answer) -> Reply:
    """All of an answer. Raises AttemptError."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(answer.status, headers, answer.read(_LARGEST).decode(errors="replace"))
