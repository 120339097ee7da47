"""Which real parts an access means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

from go_prefetch.errors import ApiError
from go_prefetch.forge.access import Access
from go_prefetch.forge.api import Patience, RestApi
from go_prefetch.history.forge import Forge
from go_prefetch.history.kept import Kept
from go_prefetch.history.logs import write_log
from go_prefetch.retry import AttemptError, Deadline
from go_prefetch.web.client import HttpClient
from go_prefetch.web.settings import HttpSettings

_CONNECT, _STALL = 10.0, 30.0  # seconds
_ONE_LOG = 600.0  # seconds for one log


def open_forge(
    access: Access, patience: Patience, kept: Callable[[str], Kept], cancelled: Event, environ: Mapping[str, str]
) -> Forge:
    """The forge behind this access."""
    client = _client(cancelled, environ)
    if access.kind == "gitlab":
        from go_prefetch.forge.gitlab import GitLabTransport  # noqa: PLC0415 - each when it is needed
        from go_prefetch.history.gitlab import GitLabForge  # noqa: PLC0415

        transport = GitLabTransport(access.api_url, access.token, client)
        return GitLabForge(RestApi(access.host, transport, patience), access.repository, transport)
    from go_prefetch.forge.github import GitHubTransport  # noqa: PLC0415
    from go_prefetch.history.github import GitHubForge  # noqa: PLC0415

    def download(url: str, path: Path) -> None:
        with client.request("GET", url, Deadline.after(_ONE_LOG)) as answer:
            write_log(answer, path)

    api = RestApi(
        access.host, GitHubTransport(access.api_url, access.token, environ.get("SSL_CERT_FILE", "")), patience
    )
    return GitHubForge(api, access.repository, download, kept)


def _client(cancelled: Event, environ: Mapping[str, str]) -> HttpClient:
    """For logs, and for GitLab. Without netrc: a log's URL is its own credential."""
    web = HttpSettings.from_environ(environ)
    try:
        return HttpClient(_CONNECT, _STALL, cancelled.is_set, web=web, own_login=True)
    except AttemptError as error:
        hint = "Look at REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE."
        raise ApiError("api-unreachable", error.words, hint=hint) from None
