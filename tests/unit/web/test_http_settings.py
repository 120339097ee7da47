"""The environment's word on HTTP, as Go reads it: golang.org/x/net/http/httpproxy, and cmd/go's netrc."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.web.http_settings import HttpSettings, basic, logins

PROXY = "http://proxy.test:3128"
MACHINE = "machine b.test login me password pw"


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("", "https://example.com/", False),
        ("*", "https://example.com/", True),
        ("example.com", "https://example.com/", True),
        ("example.com", "https://www.example.com/", True),
        ("example.com", "https://notexample.com/", False),
        ("EXAMPLE.com", "https://Example.COM./", True),
        (".example.com", "https://example.com/", False),
        (".example.com", "https://www.example.com/", True),
        ("*.example.com", "https://www.example.com/", True),
        ("*.example.com", "https://example.com/", False),
        ("example.com:443", "https://example.com/", True),
        ("example.com:8443", "https://example.com/", False),
        ("example.com:8443", "https://example.com:8443/", True),
        (" a.test , example.com ,", "https://example.com/", True),
        ("192.0.2.7", "https://192.0.2.7/", True),
        ("192.0.2.7", "https://192.0.2.70/", False),
        ("192.0.2.0/24", "https://192.0.2.70/", True),
        ("192.0.2.0/24", "https://198.51.100.1/", False),
        ("2001:db8::1", "https://[2001:db8::1]/", True),
        ("[2001:db8::1]:443", "https://[2001:db8::1]/", True),
        ("", "https://localhost:8443/", True),
        ("", "https://127.1.2.3/", True),
        ("", "https://[::1]/", True),
    ],
)
def test_no_proxy(no_proxy: str, url: str, direct: bool) -> None:
    settings = HttpSettings.from_environ({"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy})
    assert settings.proxy_for(url) == ("" if direct else PROXY)


def test_each_scheme_has_its_proxy_and_capitals_go_first() -> None:
    environ = {"HTTP_PROXY": "one.test:1", "http_proxy": "two.test:2", "https_proxy": "http://three.test:3"}
    settings = HttpSettings.from_environ(environ)
    assert settings.proxy_for("http://example.com/") == "http://one.test:1"
    assert settings.proxy_for("https://example.com/") == "http://three.test:3"


def test_a_cgi_program_does_not_take_a_header_for_its_proxy() -> None:
    """https://httpoxy.org"""
    assert HttpSettings.from_environ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}).http_proxy == ""


def test_passwords_are_not_in_its_text() -> None:
    settings = HttpSettings.from_environ({"HTTPS_PROXY": "http://me:secret@proxy.test"})
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("machine a.test login me password pw", {"a.test": ("me", "pw")}),
        ("machine a.test\n  login me\n  password pw\n", {"a.test": ("me", "pw")}),
        ("machine a.test password pw login me account x", {"a.test": ("me", "pw")}),
        ("machine a.test login me password 1\nmachine a.test login you password 2", {"a.test": ("me", "1")}),
        ("machine a.test login me\nmachine b.test login you password 2", {"b.test": ("you", "2")}),
        ("default login me password pw", {}),
        ("macdef init\nmachine a.test login me password pw\n\n" + MACHINE, {"b.test": ("me", "pw")}),
        ("", {}),
        ("machine", {}),
    ],
    ids=["one line", "several", "any order", "the first counts", "no password", "default", "macro", "nothing", "half"],
)  # fmt: skip
def test_netrc(text: str, found: dict[str, tuple[str, str]]) -> None:
    assert logins(text) == found


def test_a_login_is_for_https_only(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine a.test login me password pw\nmachine c.test:8443 login c password p")
    settings = HttpSettings.from_environ({"HOME": str(tmp_path)})
    assert settings.authorization_for("https://a.test:8443/x") == "Basic bWU6cHc="
    assert settings.authorization_for("http://a.test/x") == ""
    assert settings.authorization_for("https://c.test:8443/x") == "Basic Yzpw"
    assert settings.authorization_for("https://c.test/x") == ""
    assert settings.authorization_for("https://b.test/x") == ""
    assert HttpSettings.from_environ({"HOME": "/nowhere"}).authorization_for("https://a.test/") == ""
    named = HttpSettings.from_environ({"NETRC": str(tmp_path / ".netrc")})
    assert named.authorization_for("https://a.test/") == "Basic bWU6cHc="


@pytest.mark.parametrize(
    ("goauth", "netrc"), [("", True), ("netrc", True), ("git /x; netrc", True), ("off", False), ("git /x", False)]
)
def test_netrc_is_left_alone_where_goauth_leaves_it(goauth: str, *, netrc: bool) -> None:
    settings = HttpSettings.from_environ({"HOME": "/home/me", "GOAUTH": goauth}, "linux")
    assert settings.netrc == (Path("/home/me/.netrc") if netrc else None)


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("https://pool.example/go/x.zip", "Bearer t0ken"),
        ("https://pool.example:443/", "Bearer t0ken"),
        ("https://pool.example:8443/", ""),
        ("http://pool.example/", ""),
        ("https://pool.example.org/", ""),
        ("https://u:p@pool.example/", basic("u", "p")),
    ],
)
def test_login_for_a_server_is_for_it_alone(url: str, header: str) -> None:
    web = HttpSettings().for_server("https://pool.example/go", "t0ken")
    assert web.authorization_for(url) == header
    assert web.named_hosts == {"pool.example"}
    assert "t0ken" not in repr(web)


def test_login_for_a_server_comes_before_netrc(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine pool.example login u password p")
    web = HttpSettings.from_environ({"HOME": str(tmp_path), "GOAUTH": "netrc; git /nowhere"})
    url = "https://pool.example/go"
    assert web.for_server(url, "").authorization_for(url) == basic("u", "p")
    assert web.for_server(url, "user:a:b").authorization_for(url) == basic("user", "a:b")
    assert web.for_server(url, "user:a:b").goauth == "off"
