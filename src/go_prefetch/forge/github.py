"""GitHub's REST API by way of PyGithub: the only module that imports it, and is itself imported late.

PyGithub has no methods for caches and none for logs, so its requester sends what we ask for, over our client: its own
connection reads whatever comes, for as long as it comes. Two of its habits matter: it follows a 301 (a renamed
repository) without the query, so names are asked for first; and it goes on asking where answers tell it to.
"""

from __future__ import annotations

import contextlib
from collections.abc import ItemsView, Mapping
from typing import Any
from urllib.parse import urlsplit

from github import Auth, Github

from go_prefetch import __version__
from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.forge.transport import PACKED, SECONDS, Reply, whole
from go_prefetch.web.client import HttpClient

_MOST_HOPS = 4  # answers that send PyGithub on, or make it wait


class GitHubTransport:
    """Requests to the API at `base_url` with `token`. `client` follows no redirects: the one to a log has no token."""

    def __init__(self, base_url: str, token: str, client: HttpClient) -> None:
        self._requester = Github(
            auth=Auth.Token(token) if token else None,
            base_url=base_url.rstrip("/"),
            user_agent=f"go-prefetch/{__version__}",
            lazy=True,
            retry=None,
            seconds_between_requests=0,
        ).requester
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
        self._client = client

    def send(self, method: str, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """See Transport."""
        connection: Any = _Connection(self._client, self._origin)  # as far as PyGithub needs one
        try:
            with contextlib.suppress(ValueError, OverflowError):  # figures of its rate limit: api.py reads them itself
                self._requester.requestJson(method, path, dict(parameters), {**PACKED, **headers}, cnx=connection)
        except (AssertionError, RuntimeError) as error:  # a redirect to where the token must not go
            words = " ".join(str(error).split())[:300]
            raise AttemptError(words or "redirected to another host", transient=False) from None
        return connection.reply  # type: ignore[no-any-return]  # it was answered


class _Connection:
    """One request of PyGithub's, and those that its answer leads to, in the time of one."""

    def __init__(self, client: HttpClient, origin: str) -> None:
        self.reply = Reply(0, {}, "")
        self._client = client
        self._origin = origin
        self._deadline = Deadline.after(SECONDS)
        self._hops = 0

    def request(self, verb: str, url: str, content: object, headers: dict[str, str], stream: bool = False) -> None:  # noqa: FBT001, FBT002 - PyGithub's own
        """Ask. Raises AttemptError."""
        del content, stream
        self._hops += 1
        if self._hops > _MOST_HOPS or self._deadline.passed():
            raise AttemptError("sent from one place to the next", transient=False)
        with self._client.request(verb, self._origin + url, self._deadline, headers=headers) as answer:
            self.reply = whole(answer)

    def getresponse(self) -> _Connection:
        """The answer, which is here."""
        return self

    @property
    def status(self) -> int:
        """Of the answer."""
        return self.reply.status

    def getheaders(self) -> ItemsView[str, str]:
        """Of the answer."""
        return self.reply.headers.items()

    def read(self) -> str:
        """The whole body."""
        return self.reply.body
