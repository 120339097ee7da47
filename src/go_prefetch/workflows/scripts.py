"""What the scripts of a job do: go commands and their folders, retry loops, logins, publishing. A guess by words."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Go commands that read modules. `go version`, `go env` and `gofmt` do not.
_NEEDS_MODULES = frozenset(
    ("build", "test", "vet", "mod", "run", "install", "list", "generate", "get", "tool", "work", "fix", "doc")
)
_PARTS = re.compile(r"&&|\|\||[;|&()`{}]|\$\(")
_WRAPPERS = frozenset(
    ("if", "then", "do", "else", "elif", "while", "until", "time", "sudo", "exec", "env", "!", "nice", "xvfb-run")
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_HERE_DOCUMENT = re.compile(r"<<-?\s*['\"]?(\w+)")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_LOOP = re.compile(r"(?:^|[;&|(]|\s)(?:for|while|until)\s")
_RETRY = re.compile(r"\bretry\b|\bmax_attempts\b")
_DOWNLOADS = re.compile(r"\bgo mod download\b")
_MODULE_CACHE = re.compile(
    r"pkg[/\\]+mod\b|GOMODCACHE|go-?mod-?cache|\bgo-mod\b|(?:~|HOME\}?)[/\\]go[/\\]?$", re.MULTILINE | re.IGNORECASE
)
_LOGIN = re.compile(r"insteadOf|\.netrc\b|GOPRIVATE=|git config\b.*\bcredential|extraheader")
_PUBLISHES = re.compile(
    r"goreleaser|\breleas|publish|deploy|\bdocker(?: buildx)? (?:push|login)|build-push-action|docker/login-action"
    r"|cosign|\bko build|\bgit push|helm push|aws-actions|google-github-actions|azure/login|gh release|terraform apply",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(r"\$\{\{ *([^{}\n]*?) *\}\}")  # of GitHub: it becomes one word
_WORD = re.compile("\ue000([^\ue001]*)\ue001")
_BLANK = "\ue002"
_MOST_TEXT = 100_000  # characters of one script that are looked at


@dataclass(frozen=True)
class GoCommand:
    """One go command. `folder` is relative to where the script starts; empty if a variable decides it."""

    folder: str
    has_version: bool  # such as `go install example.com/tool@latest`, which reads no go.mod


def go_commands(script: str) -> Iterator[GoCommand]:
    """Yield the go commands of a shell script that read modules."""
    folder, ends_at = ".", ""
    for line in _EXPRESSION.sub(_as_word, script[:_MOST_TEXT]).splitlines():
        if ends_at:
            ends_at = "" if line.strip() == ends_at else ends_at
            continue
        if found := _HERE_DOCUMENT.search(line):
            ends_at = found[1]
        inner = folder
        for part in _PARTS.split(_COMMENT.sub("", line)):
            words = _command(part)
            if words[:1] == ["cd"] or words[:1] == ["pushd"]:
                inner = _joined(inner, words[1] if len(words) > 1 else "")
            elif words[:1] == ["go"]:
                yield from _go_command(words[1:], inner)
        folder = folder if "(" in line else inner


def _as_word(match: re.Match[str]) -> str:
    return f"\ue000{match[1].replace(' ', _BLANK)}\ue001"


def _as_expression(match: re.Match[str]) -> str:
    return f"${{{{ {match[1].replace(_BLANK, ' ')} }}}}"


def _command(part: str) -> list[str]:
    words = part.split()
    while words and (words[0] in _WRAPPERS or _ASSIGNMENT.match(words[0])):
        words.pop(0)
    return words


def _go_command(words: list[str], folder: str) -> Iterator[GoCommand]:
    if words[:1] == ["-C"] and len(words) > 2:
        folder, words = _joined(folder, words[1]), words[2:]
    if words and words[0] in _NEEDS_MODULES:
        yield GoCommand(_WORD.sub(_as_expression, folder), any("@" in word for word in words[1:]))


def _joined(folder: str, part: str) -> str:
    """Return the folder after `cd part`; empty if it is not known."""
    part = part.strip("'\"")
    if not folder or not part or part == "-" or part.startswith(("/", "~")) or "$" in part:
        return ""
    return posixpath.normpath(posixpath.join(folder, part))


def retries_download(script: str) -> bool:
    """Return whether a script repeats `go mod download` until it succeeds."""
    script = script[:_MOST_TEXT]
    found = _DOWNLOADS.search(script)
    return bool(found and (_LOOP.search(script, 0, found.start()) or _RETRY.search(script)))


def is_module_cache(paths: str) -> bool:
    """Return whether one of these paths is Go's module cache."""
    return bool(_MODULE_CACHE.search(paths[:_MOST_TEXT]))


def gives_login(script: str) -> bool:
    """Return whether a script gives git a login, which private modules need."""
    return bool(_LOGIN.search(script[:_MOST_TEXT]))


def publishes(text: str) -> bool:
    """Return whether a script or the name of an action looks like one that publishes."""
    return bool(_PUBLISHES.search(text[:_MOST_TEXT]))
