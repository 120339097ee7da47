"""How a URL is reached: HTTP proxies, logins, and who never gets one."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.doctor.route import Unreachable, find_route
from go_prefetch.web.http_settings import HttpSettings

PROXIED = HttpSettings(http_proxy="http://one.test:3128", https_proxy="two.test")
PLAIN = HttpSettings()


def test_the_proxy_of_the_scheme_with_its_usual_port() -> None:
    assert str(find_route(PROXIED, "http://a.test/x").relay) == "one.test:3128"
    assert str(find_route(PROXIED, "https://a.test/x").relay) == "two.test:80"
    assert find_route(PLAIN, "https://a.test/x").relay is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_loopback_is_never_proxied(host: str) -> None:
    assert find_route(PROXIED, f"http://{host}:8080/").relay is None


@pytest.mark.parametrize(
    "text", ["socks5://a.test:1", "https://a.test", "http://a.test:x", "http://:80", "http://a.test:0"]
)
def test_a_proxy_that_is_none_is_said(text: str) -> None:
    with pytest.raises(Unreachable, match=r"HTTPS_PROXY is no http://HOST:PORT"):
        find_route(HttpSettings(https_proxy=text), "https://b.test/")


def test_a_login_goes_over_https_and_to_loopback() -> None:
    basic = "Basic dTpwQHNz"  # u:p@ss
    assert find_route(PLAIN, "https://u:p%40ss@a.test/x").authorization == basic
    assert find_route(PLAIN, "http://u:p%40ss@localhost/x").authorization == basic
    with pytest.raises(Unreachable, match="insecure"):
        find_route(PLAIN, "http://u:p%40ss@a.test/x")
    assert basic not in repr(find_route(PLAIN, "https://u:p%40ss@a.test/x"))


def test_authority_and_target() -> None:
    route = find_route(PLAIN, "https://[fd00::1]:8443/a/b?c=d")
    assert (route.authority, route.target) == ("[fd00::1]:8443", "/a/b?c=d")
    assert find_route(PLAIN, "http://a.test").authority == "a.test"
    with pytest.raises(Unreachable, match="not an http"):
        find_route(PLAIN, "ftp://a.test/")


def test_a_redirect_has_the_login_of_the_first_server_there_and_nowhere_else(tmp_path: Path) -> None:
    """Nor what netrc has for where it leads: whoever redirects would choose who is shown a login."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine b.test login me password pw\n")
    web = HttpSettings(netrc=netrc)
    first = find_route(web, "https://u:p%40ss@a.test/x")
    for url, login in {
        "https://a.test/y": "Basic dTpwQHNz",
        "https://a.test:444/y": "",
        "https://b.test/y": "",
        "https://other:login@b.test/y": "",
    }.items():
        assert find_route(web, url).with_login_of(first).authorization == login
