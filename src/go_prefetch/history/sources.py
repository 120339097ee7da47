"""Which real parts an access means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

from go_prefetch.forgeaccess import Access
from go_prefetch.history.forge import Forge
from go_prefetch.history.kept import Kept
from go_prefetch.history.logs import MAX_DOWNLOAD
from go_prefetch.httpclient import HttpClient
from go_prefetch.httpsettings import HttpSettings
from go_prefetch.restapi import Patience, RestApi
from go_prefetch.retry import Deadline
from go_prefetch.transfer import Transfer
from go_prefetch.wire import Wire

_CONNECT, _STALL = 10.0, 30.0  # seconds
_ONE_LOG = 600.0  # seconds for one log


def open_forge(
    access: Access, patience: Patience, kept: Callable[[str], Kept], cancelled: Event, environ: Mapping[str, str]
) -> Forge:
    """The forge behind this access."""
    client = HttpClient(_CONNECT, _STALL, cancelled.is_set, web=HttpSettings.from_environ(environ), own_login=True)
    if access.kind == "gitlab":
        from go_prefetch.gitlabapi import GitLabTransport  # noqa: PLC0415 - each when it is needed
        from go_prefetch.history.gitlab import GitLabForge  # noqa: PLC0415

        transport = GitLabTransport(access.api_url, access.token, client)
        return GitLabForge(RestApi(access.host, transport, patience), access.repository, transport)
    from go_prefetch.githubapi import GitHubTransport  # noqa: PLC0415
    from go_prefetch.history.github import GitHubForge  # noqa: PLC0415

    def download(url: str, path: Path) -> None:
        Transfer(client).get(url, path, MAX_DOWNLOAD, Deadline.after(_ONE_LOG), Wire())

    api = RestApi(
        access.host, GitHubTransport(access.api_url, access.token, environ.get("SSL_CERT_FILE", "")), patience
    )
    return GitHubForge(api, access.repository, download, kept)
