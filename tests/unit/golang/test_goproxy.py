"""GOPROXY's grammar as cmd/go reads it, stricter with misspelt entries, and passwords that nobody gets to see."""

from __future__ import annotations

import string
from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.errors import InputError
from go_prefetch.golang.goproxy import (
    WELL_KNOWN_PUBLIC,
    Fallback,
    Proxy,
    ProxyList,
    parse_proxy_list,
    redact,
    redact_list,
    secrets_of,
)
from tests.support.notices import facts, printed

# Text; its proxies, with `|` where any error goes on; the list as Go is told of it.
GRAMMAR = {
    "one": ("https://a.example", ["https://a.example"], "https://a.example"),
    "comma": ("https://a.example,http://b.example", ["https://a.example", "http://b.example"], "https://a.example,http://b.example"),
    "pipe": ("https://a.example|http://b.example", ["https://a.example|", "http://b.example"], "https://a.example|http://b.example"),
    "mixed": ("a.example|b.example,direct", ["https://a.example|", "https://b.example"], "https://a.example|https://b.example,direct"),
    "Go's default": ("https://proxy.golang.org,direct", ["https://proxy.golang.org"], "https://proxy.golang.org,direct"),
    "blanks": (" a.example , \tb.example | direct ", ["https://a.example", "https://b.example|"], "https://a.example,https://b.example|direct"),
    "empty entries": (",,https://a.example,|,direct,", ["https://a.example"], "https://a.example,direct"),
    "direct alone": ("direct", [], "direct"),
    "off alone": ("off", [], "off"),
    "direct ends the list": ("direct,https://a.example", [], "direct"),
    "off ends the list": ("https://a.example,off|htps://b", ["https://a.example"], "https://a.example,off"),
    "missing scheme": ("a.example/go", ["https://a.example/go"], "https://a.example/go"),
    "missing scheme, port": ("localhost:8080", ["https://localhost:8080"], "https://localhost:8080"),
    "missing scheme, password": ("u:pw@a.example", ["https://u:pw@a.example"], "https://u:pw@a.example"),
    "http": ("http://a.example:3000", ["http://a.example:3000"], "http://a.example:3000"),
    "file": ("file:///srv/pool", ["file:///srv/pool"], "file:///srv/pool"),
    "file, one slash": ("file:/srv/pool", ["file:/srv/pool"], "file:/srv/pool"),
    "file with at": ("file:///srv/p@ol", ["file:///srv/p@ol"], "file:///srv/p@ol"),
    "trailing slash": ("https://a.example/go/", ["https://a.example/go"], "https://a.example/go"),
    "IPv6": ("http://[::1]:8080", ["http://[::1]:8080"], "http://[::1]:8080"),
    "pipe last": ("https://a.example|", ["https://a.example|"], "https://a.example"),
    "newline at the end": ("https://a.example\n", ["https://a.example"], "https://a.example"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "proxies", "for_go"), [pytest.param(*case, id=name) for name, case in GRAMMAR.items()]
)
def test_the_grammar(text: str, proxies: list[str], for_go: str) -> None:
    found = parse_proxy_list(text)
    assert [proxy.url + "|" * proxy.on_any_error for proxy in found.proxies] == proxies
    assert found.ending == next((word for word in ("direct", "off") if for_go.endswith(word)), "")
    assert found.text == for_go
    assert parse_proxy_list(found.text).text == for_go


INVALID = {
    "empty": "",
    "blank": " ",
    "no entry": " , |",
    "misspelt scheme": "htps://proxy.golang.org",
    "other scheme": "ftp://a.example",
    "socks": "socks5://a.example",
    "semicolon": "proxy.golang.org;direct",
    "one word": "goproxy",
    "misspelt direct": "https://a.example,Direct",
    "no scheme and no host": "://",
    "no host": "https://",
    "no host, path": "https:///go",
    "one slash": "https:/a.example",
    "no slashes": "https:a.example",
    "absolute path": "/srv/pool",
    "path on Windows": r"C:\pool",
    "path on Windows, slashes": "C:/pool",
    "blank inside": "https://a.example https://b.example",
    "newline inside": "https://a.example\nhttps://b.example",
    "control character": "https://a.example/\x01",
    "NUL": "https://a.example/\0",
    "backslash": "https://a.example\\go",
    "port is a word": "https://a.example:port",
    "port too large": "https://a.example:99999",
    "IPv6 not closed": "https://[::1",
    "query": "https://a.example/go?token=x",
    "fragment": "https://a.example/#go",
    "file with host": "file://server/share",
    "file without path": "file:///",
    "file with a relative path": "file::/",
    "second of the list": "https://a.example,htps://b.example",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in INVALID.items()])
def test_a_misspelt_entry_is_an_input_error(text: str) -> None:
    """Early and by name; Go would mostly say so only when it asks for the first module."""
    with pytest.raises(InputError) as caught:
        parse_proxy_list(text)
    assert caught.value.slug == "goproxy-invalid"


def test_the_entry_at_fault_is_named() -> None:
    with pytest.raises(InputError) as caught:
        parse_proxy_list("https://a.example,htps://b.example,direct")
    assert facts(caught.value)["entry"] == "htps://b.example"


@given(st.text() | st.text("ab.:/|,@ \n[]?#").map("https://a.example,{}".format))
@settings(deadline=None)
def test_any_text_is_a_list_or_an_input_error(text: str) -> None:
    try:
        found = parse_proxy_list(text)
    except InputError:
        return
    assert parse_proxy_list(found.text).text == found.text


PUBLIC, CORP = "https://proxy.golang.org", "https://goproxy.corp.example"
FALLBACKS = {
    "auto, all public": ("auto", f"{PUBLIC},https://goproxy.cn,direct", f"{PUBLIC}|https://goproxy.cn|direct"),
    "auto, a company's": ("auto", f"{CORP},{PUBLIC},direct", f"{CORP},{PUBLIC},direct"),
    "auto, a company's last": ("auto", f"{PUBLIC},{CORP}", f"{PUBLIC},{CORP}"),
    "auto, a company's with pipe": ("auto", f"{CORP}|{PUBLIC}", f"{CORP}|{PUBLIC}"),
    "auto, public host with credentials": ("auto", "https://u:p@goproxy.io,direct", "https://u:p@goproxy.io,direct"),
    "auto, public host in the clear": ("auto", "http://goproxy.io,direct", "http://goproxy.io,direct"),
    "auto, other path of a public host": ("auto", "https://mirrors.aliyun.com/x,direct", "https://mirrors.aliyun.com/x,direct"),
    "auto, public path": ("auto", "https://mirrors.aliyun.com/goproxy/,direct", "https://mirrors.aliyun.com/goproxy|direct"),
    "auto, host that ends alike": ("auto", "https://xgoproxy.io,direct", "https://xgoproxy.io,direct"),
    "any": ("any", f"{CORP},{PUBLIC},off", f"{CORP}|{PUBLIC}|off"),
    "go": ("go", f"{PUBLIC},https://goproxy.cn|direct", f"{PUBLIC},https://goproxy.cn|direct"),
    "auto, direct alone": ("auto", "direct", "direct"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("fallback", "text", "for_go"), [pytest.param(*case, id=name) for name, case in FALLBACKS.items()]
)
def test_with_fallback(fallback: str, text: str, for_go: str) -> None:
    """`auto` goes on after any error only where that tells nobody of a private path; Go gets the same list."""
    assert parse_proxy_list(text).with_fallback(Fallback(fallback)).text == for_go


@pytest.mark.parametrize(("host", "path"), WELL_KNOWN_PUBLIC)
def test_every_well_known_proxy_is_recognised(host: str, path: str) -> None:
    assert parse_proxy_list(f"{host}{path}/,direct").proxies[0].is_well_known_public


SHOWN = {
    "no credentials": ("https://a.example/go", "https://a.example/go", set()),
    "user and password": ("https://user:hunter2@a.example/go", "https://user:xxxxx@a.example/go", {"hunter2"}),
    "token as user": ("https://ghp_T0ken@a.example", "https://xxxxx@a.example", {"ghp_T0ken"}),
    "token, empty password": ("https://ghp_T0ken:@a.example", "https://xxxxx@a.example", {"ghp_T0ken"}),
    "token, GitHub's password": ("https://T0ken:x-oauth-basic@a.example", "https://xxxxx@a.example", {"T0ken"}),
    "password with at": ("https://user:hun@ter2@a.example", "https://user:xxxxx@a.example", {"hun@ter2"}),
    "password with colon": ("https://user:hun:ter2@a.example", "https://user:xxxxx@a.example", {"hun:ter2"}),
    "percent-encoded": ("https://u:hun%2Fter2@a.example", "https://u:xxxxx@a.example", {"hun%2Fter2", "hun/ter2"}),
    "no scheme": ("user:hunter2@a.example", "user:xxxxx@a.example", {"hunter2"}),
    "slash in the password": ("https://user:hun/ter2@a.example", "https://user:xxxxx@a.example", {"hun/ter2"}),
    "at in a file's name": ("file:///srv/p@ol", "file:///srv/p@ol", set()),
    "port": ("http://127.0.0.1:8080", "http://127.0.0.1:8080", set()),
    "IPv6": ("http://[::1]:8080/x", "http://[::1]:8080/x", set()),
    "IPv6 with password": ("http://u:hunter2@[::1]:8080/x", "http://u:xxxxx@[::1]:8080/x", {"hunter2"}),
}


def plain(secrets: frozenset[str]) -> set[str]:
    """Those that are no header in Base64: each login has some (tests/unit/base/test_redaction.py)."""
    return {secret for secret in secrets if not (is_base64(secret) and b":" in b64decode(secret))}


def is_base64(text: str) -> bool:
    try:
        return b64encode(b64decode(text, validate=True)).decode() == text
    except ValueError:
        return False


@pytest.mark.parametrize(("url", "shown", "secrets"), [pytest.param(*case, id=name) for name, case in SHOWN.items()])
def test_what_is_shown_and_what_is_secret(url: str, shown: str, secrets: set[str]) -> None:
    assert redact(url) == shown
    assert plain(secrets_of(url)) == secrets


def test_secrets_are_found_in_every_variable_of_go() -> None:
    assert plain(secrets_of("https://a.example|https://u:one@b.example,c:two@d.example")) == {"one", "two"}
    assert plain(secrets_of("sum.golang.org+033de0ae+Ac4 https://u:three@sum.example")) == {"three"}
    assert plain(secrets_of("http://u:four@squid.example:3128/")) == {"four"}
    assert secrets_of("") == frozenset()


def test_a_list_is_shown_without_its_passwords() -> None:
    text = "https://u:one@a.example|https://b.example,t0ken@c.example,direct"
    assert redact_list(text) == "https://u:xxxxx@a.example|https://b.example,xxxxx@c.example,direct"
    assert parse_proxy_list(text).shown == "https://u:xxxxx@a.example|https://b.example,https://xxxxx@c.example,direct"
    assert "one" not in repr(parse_proxy_list("https://u:one@a.example"))


def test_credentials_are_noticed() -> None:
    assert Proxy("https://t0ken@a.example", on_any_error=False).has_credentials
    assert not Proxy("https://a.example/@v", on_any_error=False).has_credentials


_alphabet = string.ascii_letters + string.digits
# Longer than anything else in the texts below, so that finding it anywhere means a leak.
_odd = "-._~!$&'()*+;=%:"
_passwords = st.text(_alphabet + _odd, min_size=2, max_size=20).map("S3cr3t{}S3cr3t".format)
_users = st.text(_alphabet + "-._", max_size=8)


@given(
    _users,
    _passwords | _passwords.map("@{}".format),
    st.sampled_from(["https://", "http://", ""]),
    st.sampled_from(["", ":8080", "/go", "/@v/x"]),
)
@settings(deadline=None)
def test_a_password_is_never_shown_and_always_a_secret(user: str, password: str, scheme: str, rest: str) -> None:
    text = f"https://a.example,{scheme}{user}:{password}@b.example{rest},direct"
    assert "S3cr3t" not in redact_list(text)
    assert "S3cr3t" not in repr(redact(f"{scheme}{user}:{password}@b.example{rest}"))
    if rest != "/@v/x":
        assert password in secrets_of(text)
    found = _parsed(text)
    if isinstance(found, ProxyList):
        assert "S3cr3t" not in found.shown
        assert "S3cr3t" not in repr(found)
        assert "S3cr3t" not in "".join(proxy.shown for proxy in found.proxies)
    else:
        assert "S3cr3t" not in found


@given(_users, _passwords, st.sampled_from("/?#,| \\[]\n"), st.sampled_from(["https", "htps", "file"]))
@settings(deadline=None)
def test_a_password_that_breaks_the_url_is_not_in_the_error(
    user: str, password: str, breaker: str, scheme: str
) -> None:
    """Characters that had to be percent-encoded: the message must not hold what stands before or behind them."""
    found = _parsed(f"{scheme}://{user}:{password}{breaker}{password}@b.example")
    assert isinstance(found, str)
    assert "S3cr3t" not in found


def _parsed(text: str) -> ProxyList | str:
    """The list, or everything that would be printed in its place."""
    try:
        return parse_proxy_list(text)
    except InputError as error:
        return f"{printed(error)} {error!r}"
