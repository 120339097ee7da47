"""GitHub's REST API by way of PyGithub: the only module that imports it, and is itself imported late.

PyGithub has no methods for caches and none for logs, so its requester sends what we ask for. Three of its habits
matter: it follows a 301 (a renamed repository) without the query, so names are asked for first; a redirect to a log is
not to be followed with the token; and it retries by itself unless told not to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from github import Auth, Github

from go_prefetch import __version__
from go_prefetch.forge.api import Reply
from go_prefetch.retry import AttemptError

_TIMEOUT = 30  # seconds, for a connection and between bytes


class GitHubTransport:
    """Requests to the API at `base_url` with `token`. `trust` is a file of certificates, if not the usual ones."""

    def __init__(self, base_url: str, token: str, trust: str = "") -> None:
        self._requester = Github(
            auth=Auth.Token(token) if token else None,
            base_url=base_url.rstrip("/"),
            user_agent=f"go-prefetch/{__version__}",
            lazy=True,
            retry=None,
            timeout=_TIMEOUT,
            seconds_between_requests=0,
            verify=trust or True,
        ).requester

    def send(self, method: str, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """See Transport."""
        try:
            status, got, body = self._requester.requestJson(method, path, dict(parameters), dict(headers))
        except requests.Timeout:
            raise AttemptError(f"no answer within {_TIMEOUT}s") from None
        except requests.RequestException as error:
            certificate = "CERTIFICATE_VERIFY_FAILED" in str(error)
            raise AttemptError(_words(error), transient=not certificate) from None
        except (AssertionError, RuntimeError) as error:  # a redirect to where the token must not go
            raise AttemptError(_words(error) or "redirected to another host", transient=False) from None
        return Reply(status, {name.lower(): str(value) for name, value in got.items()}, str(body or ""))


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
