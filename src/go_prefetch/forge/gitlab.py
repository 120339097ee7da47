"""GitLab's REST API, by plain requests. https://docs.gitlab.com/api/rest/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from go_prefetch.base.retry import Deadline
from go_prefetch.forge.transport import PACKED, SECONDS, Reply, whole
from go_prefetch.web.answer import Answer
from go_prefetch.web.client import HttpClient


class GitLabTransport:
    """Requests to the API at `base_url` with `token`: as a bearer, which requests does not pass on to another host."""

    def __init__(self, base_url: str, token: str, client: HttpClient) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._client = client

    def send(self, method: str, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """See Transport."""
        url = f"{self._base}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        every = {**PACKED, **self._headers, **headers}
        with self._client.request(method, url, Deadline.after(SECONDS), headers=every) as answer:
            return whole(answer)

    @contextmanager
    def opened(self, path: str, deadline: Deadline) -> Iterator[Answer]:
        """An answer as it arrives, whatever its status. Raises AttemptError."""
        with self._client.request("GET", f"{self._base}{path}", deadline, headers=self._headers) as answer:
            yield answer
