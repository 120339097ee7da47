"""URLs of objects: every name of a module file is one path below the pool."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import requests
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base.retry import Backoff
from go_prefetch.golang.modcache import file_named
from go_prefetch.stores.objects.http_server import HttpServer
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts

STORE = HttpServer("https://pool.example/go%20pool/", HttpClient(Timeouts(1, 1), web=HttpSettings()), Backoff())
PART = st.text("ab!-._~+%? #&=@:;ü", min_size=1, max_size=8)


@given(path=st.lists(PART, min_size=1, max_size=4).map("/".join), version=PART, kind=st.sampled_from(["mod", "zip"]))
def test_url_of_a_module_file_has_its_name_as_path(path: str, version: str, kind: str) -> None:
    """Also after requests has encoded it once more. No name leads out of the pool."""
    name = f"example.com/{path}/@v/v1.0.0-{version}.{kind}"
    if file_named(name) is None:
        return
    sent = requests.Request("GET", STORE._url(name)).prepare().url or ""
    assert unquote(urlsplit(sent).path) == f"/go pool/{name}"
    assert (urlsplit(sent).netloc, urlsplit(sent).query, urlsplit(sent).fragment) == ("pool.example", "", "")


def test_condition_for_google_is_a_header_of_its_own() -> None:
    client = HttpClient(Timeouts(1, 1), web=HttpSettings())
    google = HttpServer("https://storage.googleapis.com/bucket/go", client, Backoff())
    assert google._if_new == {"x-goog-if-generation-match": "0"}
    assert STORE._if_new == {"If-None-Match": "*"}
