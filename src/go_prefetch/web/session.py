"""Route requests through the environment's HTTP proxies, and along redirects that may be followed."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import requests

from go_prefetch.base.retry import AttemptError, Cause
from go_prefetch.web.addresses import REDIRECTED_INWARDS, Reach, is_loopback, is_public, is_written_within
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.transport import CURRENT

_SHORT_LENGTH = re.compile("[0-9]{1,5}")


class Session(requests.Session):
    """Follows redirects as Go does, except from https to http and from the public internet to a private address.

    A public server that the user has named may redirect to private networks.

    Go follows the latter, from the same proxies. A shorter list for Go would not help, because later go commands of the
    job have the same list. A list without such a proxy would send private paths to the next one.

    A session that does not follow redirects returns them as answers like any other.
    """

    def __init__(self, web: HttpSettings, *, follows: bool) -> None:
        super().__init__()
        self.trust_env = False  # `web` has read the environment, as Go reads it
        self._web = web
        self._follows = follows

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return the target of this answer's redirect, if any. Raises AttemptError for a forbidden target."""
        target = super().get_redirect_target(resp) if self._follows else None
        if target:
            try:
                self.refuse(resp.url, _join(resp.url, target))
            except AttemptError:
                resp.close()  # it would stay open as long as the error lives
                raise
            _leave_body(resp)
        return target

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Leave the headers of a login out of a request to another server. requests knows one of them only."""
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
            for name in CURRENT.get().login:
                prepared_request.headers.pop(name, None)

    def rebuild_proxies(
        self,
        prepared_request: requests.PreparedRequest,
        proxies: object,  # noqa: ARG002 - requests' own
    ) -> dict[str, str]:
        """Return the HTTP proxy of a redirected request, not that of the first."""
        return self.proxies_for(prepared_request.url or "")

    def proxies_for(self, url: str) -> dict[str, str]:
        """Return the HTTP proxy for `url`, in the form that requests takes."""
        proxy = self._web.proxy_for(url)
        if not proxy:
            return {}
        refuse_malformed(proxy, at_http_proxy=True)
        return {urlsplit(url).scheme: proxy}

    def refuse(self, source: str, target: str) -> None:
        """Raise AttemptError if no redirect may lead from one to the other."""
        if urlsplit(source).scheme == "https" and urlsplit(target).scheme == "http":
            raise AttemptError("redirected from https to http", transient=False, kind="refused", cause=Cause.REDIRECTS)
        wire = CURRENT.get()
        # Judged by the address that answered, because its name may have another address by now.
        if self._web.proxy_for(source) or is_public(wire.peer):
            named = urlsplit(source).hostname in self._web.named_hosts
            wire.reach = min(wire.reach, Reach.NETWORK if named else Reach.PUBLIC)
        # The connection, or the HTTP proxy that looks them up, judges names.
        if not is_written_within(urlsplit(target).hostname or "", wire.reach):
            raise AttemptError(REDIRECTED_INWARDS, transient=False, kind="refused", cause=Cause.REDIRECTS)


def _join(source: str, target: str) -> str:
    """Return the URL that a redirect means. Raises AttemptError for an invalid one."""
    try:
        joined = urljoin(source, target)
    except ValueError:
        words = "redirected to a malformed URL"
        raise AttemptError(words, transient=False, kind="refused", cause=Cause.REDIRECTS) from None
    refuse_malformed(joined)
    return joined


def _leave_body(answer: requests.Response) -> None:
    """Close the connection before a redirect's body, unless it is short: requests reads and inflates all of it."""
    encoded = "Content-Encoding" in answer.headers or "Transfer-Encoding" in answer.headers
    if encoded or not _SHORT_LENGTH.fullmatch(answer.headers.get("Content-Length", "")):
        answer.raw.close()


def refuse_malformed(url: str, *, at_http_proxy: bool = False) -> None:
    """Raise AttemptError for a URL that cannot be parsed, and for a host with a blank."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        malformed = any(map(str.isspace, parts.hostname or "")) or (at_http_proxy and not parts.hostname)
    except ValueError:  # the message may contain a part of it
        malformed = True
    if malformed:
        words = "proxy variables: a malformed URL" if at_http_proxy else "a malformed URL"
        raise AttemptError(words, transient=False, kind="refused", at_http_proxy=at_http_proxy)


def refuse_clear_text(url: str) -> None:
    """Refuse to send a login over http, as Go does. Raises AttemptError."""
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        words = "refusing to pass credentials to an insecure URL"
        raise AttemptError(words, transient=False, kind="refused", cause=Cause.CLEAR_TEXT)
