"""Secrets, and every spelling of them that may appear in a text: as written, encoded, in the header that was sent.

A server that refuses a request may quote what it was sent, in any encoding: percent-encoded, as JSON, as HTML. A login
is sent as Base64. None of these may reach a log.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import unquote, unquote_to_bytes

HIDDEN = "xxxxx"  # as Go prints it
# Stands in place of the password if the user name is a token.
NO_PASSWORDS = ("", "x-oauth-basic")

# Characters that control a terminal, change the direction of the text, or end a line for some readers.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")

_ANYWHERE, _ALONE = 6, 3  # from this length on, a secret is hidden inside words; below it, as a separate word
_LONG, _REST = 96, r"[^\s\"'<>,;]*"
_CUT, _BEGINNING = 16, 8  # characters of a secret that is hidden even if its end is cut off, and how many must be left
_USERINFO_BEFORE, _USERINFO_BEHIND = r"(?:(?<=[:/])|(?<=%3[Aa]|%2[Ff]))", r"(?=@|%40)"
# Separate: no letter or digit on either side. The digits of an encoded character do not count as a neighbour's.
_WORD_BEFORE, _WORD_BEHIND = r"(?:(?<![^\W_])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))", r"(?![^\W_])"
# Other names of a character: in forms, in HTML, in Base64 for URLs, in strings of programs.
_OTHERWISE = {
    " ": (r"\+",),
    "&": ("&amp;",),
    "<": ("&lt;",),
    ">": ("&gt;",),
    '"': ("&quot;",),
    "+": ("-", "%(?:25)*2[Dd]"),
    "/": ("_", "%(?:25)*5[Ff]"),
    "\n": (r"\\{1,4}n",),
    "\r": (r"\\{1,4}r",),
    "\t": (r"\\{1,4}t",),
    "\b": (r"\\{1,4}b",),
    "\f": (r"\\{1,4}f",),
}
# What follows a text that was cut: the end of a line or of a cell, perhaps with closing brackets, or dots.
_AT_A_CUT = re.compile(r"[\s)'\"`\]}]*(?:\Z|\n|\|)|…|\.\.\.")
# Fields of a URL that are a credential: signatures of Azure, S3 and Google, and tokens.
_SIGNED = re.compile(
    r"(?i)(?P<name>(?:[?&;]|\\u0026|%3f|%26)(?:amp;)?"
    r"(?:sig|signature|token|(?:access|private|job)_token|x-(?:amz|goog)-(?:signature|credential|security-token))"
    r"(?:=|\\u003d|%3d))"
    r"(?:(?!%26|\\u0026)[^\s\"'<>&;`\\)])+"
)
# The login of any URL. Git quotes those of the user's configuration, which are unknown here. Without a password, the
# user of a web address is a token, and that of an SSH address is not.
_PASSWORD_IN_URL = re.compile(r"(?<=://)(?P<user>[^\s\"'<>/?#@:]*:)[^\s\"'<>/?#@]+(?=@)")
_TOKEN_IN_URL = re.compile(r"(?:(?<=https://)|(?<=http://))[^\s\"'<>/?#@:]+(?=(?::(?:x-oauth-basic)?)?@)")


def login_secrets(user: str, password: str, *, encoded: bool) -> frozenset[str]:
    """Return what must be hidden of a login: its secret half, and the headers made of it.

    The half is the password, or the user name if there is no password. Go and this package write headers in UTF-8, and
    others in Latin-1. In a URL both may be `encoded` by percent signs, which are decoded first.
    """
    half = user if password in NO_PASSWORDS else password
    if not half:
        return frozenset()
    spelled = [f"{user}:{password}"] + ([f"{unquote(user)}:{unquote(password)}"] if encoded else [])
    logins = {content for login in spelled for content in _bytes_of(login)}
    if encoded:
        logins.add(unquote_to_bytes(f"{user}:{password}".encode(errors="surrogateescape")))
    headers = {b64encode(login).decode() for login in logins}
    return frozenset({half, unquote(half) if encoded else half} | headers)


def _bytes_of(text: str) -> tuple[bytes, bytes]:
    """Return the bytes of a text in the encodings of logins: UTF-8, which is the longer one, and Latin-1."""
    return text.encode(errors="surrogateescape"), text.encode("latin-1", errors="replace")


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with every spelling of these secrets replaced, and the login and signature of every URL.

    Secrets of one or two characters are replaced only as a URL's password. Those of up to five are replaced where they
    are separate words, so ordinary words keep their letters. Longer ones are replaced everywhere. The longest should
    come first, so that no part of one is left.
    """
    for secret in secrets:
        text = _spellings(secret).sub(HIDDEN, text)
        if len(secret) >= _CUT:
            text = _without_beginning(text, secret)
    text = _TOKEN_IN_URL.sub(HIDDEN, text)
    text = _PASSWORD_IN_URL.sub(rf"\g<user>{HIDDEN}", text)
    return _SIGNED.sub(rf"\g<name>{HIDDEN}", text)


@cache
def _spellings(secret: str) -> re.Pattern[str]:
    """Yield every way to write a secret."""
    if len(secret) > _LONG:  # a JSON web token: this prefix identifies it, so its end needs no separate pattern
        beginning = secret[:_LONG]
        forms = ["".join(map(_spelled, beginning)), *_inside_base64(beginning)]
        return re.compile("|".join(f"{form}{_REST}" for form in forms))
    bare = secret.rstrip("=") or secret
    padding = f"(?:{_spelled('=')})?" * (len(secret) - len(bare))
    whole = "".join(map(_spelled, bare)) + (r"\\*" if bare.endswith("\\") else "") + padding
    if len(secret) < _ALONE:
        return re.compile(f"{_USERINFO_BEFORE}{whole}{_USERINFO_BEHIND}")
    if len(secret) < _ANYWHERE:
        return re.compile(f"{_WORD_BEFORE}{whole}{_WORD_BEHIND}")
    return re.compile("|".join([whole, *_inside_base64(secret)]))


def _inside_base64(secret: str) -> Iterator[str]:
    """Return Base64 of the secret after any number of other bytes, without the characters that both share."""
    for content in dict.fromkeys(_bytes_of(secret)):
        for before in range(3):
            encoded = b64encode(bytes(before) + content).decode()
            first, end = -(-8 * before // 6), 8 * (before + len(content)) // 6
            yield "".join(map(_spelled, encoded[first:end]))


@cache
def _spelled(character: str) -> str:
    """Return a pattern for one character in every encoding: plain, escaped, percent-encoded (twice), JSON or HTML."""
    if character.isascii() and character.isalnum():
        return character
    if character == "\\":
        return r"(?:\\{1,4}?|%(?:25)*5[Cc]|\\{1,4}u005[Cc]|&#92;|&#[xX]5[Cc];)"
    ways = [rf"&#0*{ord(character)};", rf"&#[xX]0*{_any_case(f'{ord(character):x}')};"]
    for content in _bytes_of(character):
        ways.append("".join(rf"%(?:25)*{_any_case(f'{byte:02x}')}" for byte in content))
        ways.append("".join(rf"\\{{1,4}}x{_any_case(f'{byte:02x}')}" for byte in content))
    ways.append(rf"\\{{1,4}}U{_any_case(f'{ord(character):08x}')}")
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    ways.append("".join(rf"\\{{1,4}}u{_any_case(units[at : at + 4])}" for at in range(0, len(units), 4)))
    # The plain character comes last, because it may be the beginning of another form.
    ways += [*_OTHERWISE.get(character, ()), rf"\\{{0,4}}{re.escape(character)}"]
    return f"(?:{'|'.join(dict.fromkeys(ways))})"


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _without_beginning(text: str, secret: str) -> str:
    """Return the text without the beginning of a secret whose end was cut off. Long untrusted text is cut before."""
    kept, done = [], 0
    at = text.find(secret[:_BEGINNING])
    while at >= 0:
        end = at + _BEGINNING
        while end < len(text) and end - at < len(secret) and text[end] == secret[end - at]:
            end += 1
        if _AT_A_CUT.match(text, end):
            kept += [text[done:at], HIDDEN]
            done = end
        at = text.find(secret[:_BEGINNING], end)
    return "".join((*kept, text[done:]))
