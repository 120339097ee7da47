"""Which real parts an access means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.forge.access import Access
from go_prefetch.forge.api import Patience, RestApi
from go_prefetch.forge.transport import forge_client
from go_prefetch.history.cache import Kept
from go_prefetch.history.logs import write_log
from go_prefetch.history.port import Forge
from go_prefetch.web.http_settings import HttpSettings

_ONE_LOG = 600.0  # seconds for one log


def open_forge(
    access: Access, patience: Patience, kept: Callable[[str], Kept], end: Deadline, environ: Mapping[str, str]
) -> Forge:
    """The forge behind this access. Cancelling `end` ends its downloads."""
    web = HttpSettings.from_environ(environ)
    client = forge_client(access, web)
    if access.kind == "gitlab":
        from go_prefetch.forge.gitlab import GitLabTransport  # noqa: PLC0415 - each when it is needed
        from go_prefetch.history.gitlab import GitLabForge  # noqa: PLC0415

        transport = GitLabTransport(access.api_url, access.token, client)
        return GitLabForge(RestApi(access.host, transport, patience), access.repository, transport, end)
    from go_prefetch.forge.github import GitHubTransport  # noqa: PLC0415
    from go_prefetch.history.github import GitHubForge  # noqa: PLC0415

    def download(url: str, path: Path) -> None:
        with client.request("GET", url, end.earlier_of(_ONE_LOG)) as answer:
            write_log(answer, path)

    asking = GitHubTransport(access.api_url, access.token, forge_client(access, web, follows=False))
    return GitHubForge(RestApi(access.host, asking, patience), access.repository, download, kept)
