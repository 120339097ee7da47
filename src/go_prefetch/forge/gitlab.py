"""GitLab's REST API, by plain requests. https://docs.gitlab.com/api/rest/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from go_prefetch.forge.api import Reply
from go_prefetch.retry import AttemptError, Deadline
from go_prefetch.web.client import Answer, HttpClient

_LARGEST = 64 << 20  # bytes of one answer
_SECONDS = 60.0  # for one answer


class GitLabTransport:
    """Requests to the API at `base_url` with `token`: as a bearer, which requests does not pass on to another host."""

    def __init__(self, base_url: str, token: str, client: HttpClient) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._client = client

    def send(self, method: str, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """See Transport."""
        url = f"{self._base}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        every = {**self._headers, **headers}
        with self._client.request(method, url, Deadline.after(_SECONDS), headers=every) as answer:
            body = bytearray()
            for piece in answer.pieces:
                body += piece
                if len(body) > _LARGEST:
                    raise AttemptError(f"more than {_LARGEST} bytes", transient=False)
            got = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, got, body.decode(errors="replace"))

    @contextmanager
    def opened(self, path: str, deadline: Deadline) -> Iterator[Answer]:
        """An answer as it arrives, whatever its status. Raises AttemptError."""
        with self._client.request("GET", f"{self._base}{path}", deadline, headers=self._headers) as answer:
            yield answer
