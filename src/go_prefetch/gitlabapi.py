"""GitLab's REST API, by plain requests. https://docs.gitlab.com/api/rest/"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from go_prefetch.httpclient import HttpClient
from go_prefetch.restapi import Reply
from go_prefetch.retry import AttemptError, Deadline

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

    def download(self, path: str, destination: Path, max_bytes: int, deadline: Deadline) -> Reply:
        """A body into a file; it is empty unless the status is 200. Raises AttemptError, OSError."""
        url = f"{self._base}{path}"
        with self._client.request("GET", url, deadline, headers=self._headers) as answer, destination.open("wb") as out:
            total = 0
            for piece in answer.pieces if answer.status == 200 else ():
                total += len(piece)
                if total > max_bytes:
                    raise AttemptError(f"more than {max_bytes} bytes", transient=False)
                out.write(piece)
            return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, "")
