"""Every spelling of a secret is hidden, and ordinary words are not."""

from __future__ import annotations

import html
import io
import json
import re
import string
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.base.redaction import NO_PASSWORDS, hide, login_secrets
from go_prefetch.golang.goproxy import secrets_of
from go_prefetch.platforms.console import Console, Loudness

# What servers, proxies, Go and Python make of a text that they quote.
ENCODERS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded in lower case": lambda text: re.sub("%..", lambda code: code[0].lower(), quote(text, safe="")),
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent-encoded but for slashes": quote,
    "of a form": quote_plus,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON of Go": lambda text: re.sub("[&<>]", lambda one: rf"\u{ord(one[0]):04x}", json.dumps(text)[1:-1]),
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", r"\/"),
    "Python": lambda text: repr(text)[1:-1],
    "HTML": html.escape,
}  # fmt: skip
BASE64: dict[str, Callable[[str], str]] = {
    "Basic": lambda text: b64encode(text.encode()).decode(),
    "Basic in Latin-1": lambda text: b64encode(text.encode("latin-1", errors="replace")).decode(),
    "Basic without padding": lambda text: b64encode(text.encode()).decode().rstrip("="),
    "Basic for URLs": lambda text: urlsafe_b64encode(text.encode()).decode(),
}
WORDS = "reading https://proxy.example/lib/@v/v1.2.3.zip: 403 Forbidden, a cache is of no use to a go command"

_users = st.text(st.characters(codec="utf-8", exclude_characters=":"), max_size=12)
_passwords = st.text(st.characters(codec="utf-8", exclude_characters="⟦⟧"), min_size=6, max_size=40).filter(
    lambda text: len(text.strip()) > 5
)
_odd = st.text(st.sampled_from(string.punctuation + "äß€😀 \t" + "aZ0"), min_size=6, max_size=30)


@pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)
@given(secret=(_passwords | _odd).filter(lambda text: len(text.strip()) > 5))
@settings(max_examples=40)
def test_every_encoding_of_a_secret_is_hidden(encode: Callable[[str], str], secret: str) -> None:
    assert hide(f"⟦{encode(secret)}⟧", [secret]) == "⟦xxxxx⟧"


@pytest.mark.parametrize("base64", BASE64.values(), ids=BASE64)
@given(
    encode=st.sampled_from(list(ENCODERS.values())),
    user=_users,
    password=(_passwords | _odd).filter(lambda text: text not in NO_PASSWORDS),
)
@settings(max_examples=60)
def test_every_header_of_a_login_is_hidden(
    base64: Callable[[str], str], encode: Callable[[str], str], user: str, password: str
) -> None:
    """Whatever characters user and password have, and however the header is quoted."""
    secrets = sorted(login_secrets(user, password, encoded=False), key=len, reverse=True)
    assert hide(f"Basic {encode(base64(f'{user}:{password}'))};", secrets) == "Basic xxxxx;"


@given(user=_users, password=_passwords.filter(lambda text: text not in NO_PASSWORDS))
@settings(max_examples=60)
def test_login_of_url_header_is_hidden(user: str, password: str) -> None:
    """The header has what the URL's percent signs mean."""
    secrets = secrets_of(f"https://{quote(user, safe='')}:{quote(password, safe='')}@proxy.example,direct")
    header = b64encode(f"{user}:{password}".encode()).decode()
    assert hide(f"Basic {header};", sorted(secrets, key=len, reverse=True)) == "Basic xxxxx;"


@given(before=st.binary(max_size=9), behind=st.binary(max_size=9), token=st.text(string.ascii_letters, min_size=20))
def test_token_in_base64_of_more_is_hidden(before: bytes, behind: bytes, token: str) -> None:
    """As git sends a token behind a user name of its own. Both neighbours share one character with it."""
    shown = hide(b64encode(before + token.encode() + behind).decode(), [token])
    assert "xxxxx" in shown
    assert len(shown) <= len("xxxxx") + 4 * (len(before) // 3 + len(behind) // 3 + 4)


@pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)
@pytest.mark.parametrize("length", [96, 97, 2000])
def test_long_token_is_hidden_to_its_end(encode: Callable[[str], str], length: int) -> None:
    token = ("eyJhbGciOiJSUzI1NiJ9.a-_b+/c=" * 100)[: length - 1] + "z"
    for text in (token, b64encode(token.encode()).decode(), b64encode(f"x:{token}".encode()).decode()):
        shown = hide(f'"{encode(text)}" and more', [token])
        assert shown.endswith('xxxxx" and more') or (text != token and len(shown) < 30), shown


@pytest.mark.parametrize("secret", ["a", "s", "of", "go", "us", "v", ".", "ca", "che", "oxy", "read", "mand"])
def test_short_secret_keeps_ordinary_words(secret: str) -> None:
    assert hide(WORDS, [secret]) == WORDS


@pytest.mark.parametrize(
    ("text", "secret", "shown"),
    [
        ("https://user:p@proxy.example", "p", "https://user:xxxxx@proxy.example"),
        ("https%3A%2F%2Fuser%3App%40proxy.example", "pp", "https%3A%2F%2Fuser%3Axxxxx%40proxy.example"),
        ("https://t@proxy.example", "t", "https://xxxxx@proxy.example"),
        ('{"password": "pass"}', "pass", '{"password": "xxxxx"}'),
        ("user%3Apass%40proxy", "pass", "user%3Axxxxx%40proxy"),
        (r"\u003apass\u0040 passed", "pass", r"\u003axxxxx\u0040 passed"),
    ],
)
def test_short_secret_in_its_place_is_hidden(text: str, secret: str, shown: str) -> None:
    assert hide(text, [secret]) == shown


@pytest.mark.parametrize("login", [("a", "b"), ("u", "pw"), ("t0", ""), ("user", "abc")])
def test_short_login_header_is_hidden(login: tuple[str, str]) -> None:
    """The password alone says little; the header is the whole login."""
    header = b64encode(":".join(login).encode()).decode()
    assert header not in hide(f"you sent Authorization: Basic {header}", login_secrets(*login, encoded=False))


@pytest.mark.parametrize("cut", range(9, 27))
@pytest.mark.parametrize("end", ["", "…", "...", " (cut)\n"[6:], '"}', " |"])
def test_secret_whose_end_was_cut_off_is_hidden(cut: int, end: str) -> None:
    secret = "dXNlcjpzM2NyM3QtcGFzcy1pbi1mdWxs"
    assert hide(f"403 {secret[:cut]}{end}", [secret]) == f"403 xxxxx{end}"


def test_words_that_begin_like_a_secret_stay() -> None:
    text = "a development server; eyJhbGciOiJIUzI1NiJ9.of-another"
    assert hide(text, ["development-key-1", "eyJhbGciOiJIUzI1NiJ9.mine"]) == text


def test_many_beginnings_of_a_secret_take_linear_time() -> None:
    """Every JSON web token may begin like this one, so a server can send megabytes of that."""
    began = time.process_time()
    shown = hide("eyJ0eXAi)\n" * 300_000, ["eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.mine"])
    assert time.process_time() - began < 5
    assert shown == "xxxxx)\n" * 300_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("PUT /blob?sv=2026&sig=aB%2Bc%3D&se=1 failed", "PUT /blob?sv=2026&sig=xxxxx&se=1 failed"),
        ('{"url":"https://b.example/x?sig=abc\\u0026se=1"}', '{"url":"https://b.example/x?sig=xxxxx\\u0026se=1"}'),
        ("%3Fse%3D1%26sig%3DaBc%252B%26sv%3D1", "%3Fse%3D1%26sig%3Dxxxxx%26sv%3D1"),
        ("<a href='?a=1&amp;X-Amz-Signature=abcdef&amp;b=2'>", "<a href='?a=1&amp;X-Amz-Signature=xxxxx&amp;b=2'>"),
        ("https://gitlab.example/x?private_token=abc", "https://gitlab.example/x?private_token=xxxxx"),
        ("signature=ok, sig=none", "signature=ok, sig=none"),
    ],
)
def test_signature_of_a_url_is_hidden(text: str, shown: str) -> None:
    assert hide(text, []) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # git's words where `url.https://TOKEN@github.com/.insteadOf` in ~/.gitconfig has a token that ran out
        (
            "could not read Password for 'https://gh0-tok3n@github.com': x",
            "could not read Password for 'https://xxxxx@github.com': x",
        ),
        (
            "https://gh0-tok3n:@github.com/a https://t:x-oauth-basic@b",
            "https://xxxxx:@github.com/a https://xxxxx:xxxxx@b",
        ),
        ("https://oauth2:t0k:3n@gitlab.com/a", "https://oauth2:xxxxx@gitlab.com/a"),
        ("ssh://git:pass@host/a ssh://git@host/a git@host:a", "ssh://git:xxxxx@host/a ssh://git@host/a git@host:a"),
        ("https://proxy.golang.org/a.b/c/@v/v1.0.0.zip?x=a@b", "https://proxy.golang.org/a.b/c/@v/v1.0.0.zip?x=a@b"),
        ("http://127.0.0.1:80/@v http://[::1]:80/@v a://b@v1", "http://127.0.0.1:80/@v http://[::1]:80/@v a://b@v1"),
    ],
)
def test_login_of_an_unknown_url_is_hidden(text: str, shown: str) -> None:
    assert hide(text, []) == shown


def test_control_characters_inside_a_secret_do_not_save_it() -> None:
    """Neither those that somebody put into it nor its own, which are not printed."""
    out = io.StringIO()
    local = Console(out, Loudness())
    local.hide(frozenset({"s3cr3t-pass", "with\x01a-bell\x07"}))
    local.line("s3cr\x1b[1m3t-pa\x00ss witha-bell with\x01a-bell\x07")
    assert "xxxxx xxxxx xxxxx" in out.getvalue()
