"""Logins by GOAUTH, as cmd/go has them (cmd/go/internal/auth): netrc, `git DIR`, and commands.

Commands run once before the first https request, and again with the URL after a 4xx answer. Unlike Go, a command that
brings nothing new for a host is not run again for each further file.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from go_prefetch.base import process_group
from go_prefetch.base.child_environment import environment_of_go
from go_prefetch.web.http_settings import HttpSettings, basic

Headers = Mapping[str, str]
_Found = dict[str, Headers]  # by prefix: host and path, without a scheme

_SECONDS = 30.0  # for one command; Go has no limit
_MOST_RUNS = 10  # after answers of one kind by one host
_MOST_HEAD = 1 << 16  # characters of an answer's headers that a command gets
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_WORD = re.compile(r"""[ \t\r\n]*(?:"([^"]*)"|'([^']*)'|([^\s"'][^ \t\r\n]*))""")


@dataclass(frozen=True)
class _Credential:
    """What `git credential fill` printed for a prefix, before a server has judged it."""

    folder: Path
    output: bytes


class GoAuth:
    """The logins of one GOAUTH. Safe to use from many threads: commands run one at a time."""

    def __init__(self, web: HttpSettings) -> None:
        self.problem = ""  # why a command brought nothing, for people
        self._web = web
        self._ways = _ways(web.goauth)
        self._environ = {"GIT_TERMINAL_PROMPT": "0", **environment_of_go(web.environ)}
        self._headers: _Found = {}
        self._unjudged: dict[str, _Credential] = {}
        self._runs: Counter[tuple[str, bool]] = Counter()
        self._has_begun = False
        self._lock = threading.Lock()

    @property
    def has_commands(self) -> bool:
        """Return whether anything but netrc is in GOAUTH."""
        return any(way != "netrc" for way in self._ways)

    def headers_for(self, url: str) -> Headers:
        """Return the headers of the longest prefix of an https URL that has any."""
        if not self.has_commands or urlsplit(url).scheme != "https" or "@" in urlsplit(url).netloc:
            return {}
        with self._lock:
            if not self._has_begun:
                self._has_begun = True
                self._run("", "", _SECONDS)
            return self._longest(url)

    def renew(self, url: str, sent: Headers, answer: requests.Response, seconds: float) -> bool:
        """Run the commands for a URL that had a 4xx answer. Return whether there are other headers than those sent."""
        if not self.has_commands or urlsplit(url).scheme != "https" or "@" in urlsplit(url).netloc:
            return False
        kind = (urlsplit(url).netloc, answer.status_code in (404, 410))
        with self._lock:
            before = self._longest(url)
            if before and before != sent:  # another thread has renewed them
                return True
            if self._runs[kind] >= _MOST_RUNS:
                return False
            self._runs[kind] += 1
            self._run(url, _head_of(answer), min(_SECONDS, seconds))
            changed = self._longest(url) != before
            if not changed:
                self._runs[kind] = _MOST_RUNS
            return changed

    def judge(self, url: str, status: int) -> None:
        """Let git keep or forget a credential, once a server has answered a request with it."""
        if status not in (200, 206, 401):
            return
        with self._lock:
            prefix = next((prefix for prefix in self._unjudged if url.startswith(prefix)), None)
            credential = self._unjudged.pop(prefix) if prefix else None
        if credential:
            argv = ("git", "credential", "reject" if status == 401 else "approve")
            with suppress(OSError, subprocess.TimeoutExpired):
                process_group.answer(argv, credential.folder, self._environ, _SECONDS, given=credential.output)

    def _longest(self, url: str) -> Headers:
        prefix = _prefix(url)
        while prefix not in self._headers and "/" in prefix:
            prefix = prefix.rpartition("/")[0]
        return self._headers.get(prefix, {})

    def _run(self, url: str, head: str, seconds: float) -> None:
        """Run everything, the first entry of GOAUTH last, so that it counts."""
        for way in reversed(self._ways):
            try:
                found = self._found_by(way, url, head, seconds)
            except subprocess.TimeoutExpired:
                self.problem = f"{way.split()[0]} did not end within {seconds:.3g}s"
            except (OSError, ValueError) as error:
                self.problem = f"{way.split()[0]}: {getattr(error, 'strerror', '') or error}"
            else:
                for prefix, headers in found.items():
                    self._headers.pop(_prefix(prefix), None)
                    if headers:
                        self._headers[_prefix(prefix)] = headers

    def _found_by(self, way: str, url: str, head: str, seconds: float) -> _Found:
        if way == "netrc":
            return {host: {"Authorization": login} for host, login in self._web.netrc_logins.items()}
        if way.split(maxsplit=1)[0] == "git":
            return self._of_git(Path(way.split()[1]), url, seconds) if url else {}
        argv = (*_words(way), *([url] if url else []))
        done = process_group.answer(argv, Path.cwd(), self._environ, seconds, given=head.encode(errors="replace"))
        if done.returncode:
            raise ValueError(f"status {done.returncode}")
        return parse_headers(done.stdout.decode(errors="replace"))

    def _of_git(self, folder: Path, url: str, seconds: float) -> _Found:
        argv = ("git", "credential", "fill")
        done = process_group.answer(argv, folder, self._environ, seconds, given=f"url={url}\n".encode())
        if done.returncode:
            raise ValueError(f"status {done.returncode}")
        fields = dict(line.strip().split("=", 1) for line in done.stdout.decode().splitlines() if "=" in line)
        prefix = f"{fields.get('protocol', '')}://{fields.get('host', '')}"
        if not fields.get("host") or not url.startswith(prefix):
            raise ValueError("a credential for another URL")
        self._unjudged[prefix] = _Credential(folder, done.stdout)
        return {prefix: {"Authorization": basic(fields.get("username", ""), fields.get("password", ""))}}


def _ways(goauth: str) -> tuple[str, ...]:
    """Return the entries of GOAUTH. Go ends with an error for a list that is not valid, so that has none."""
    ways = tuple(way.strip() for way in (goauth or "netrc").split(";"))
    is_valid = all(map(_is_valid, ways))
    return ways if is_valid else ()


def _is_valid(way: str) -> bool:
    words = way.split()
    if not words or words[0] == "off":
        return False
    return words[0] != "git" or (len(words) == 2 and Path(words[1]).is_absolute())


def _words(command: str) -> tuple[str, ...]:
    """Split a command as cmd/internal/quoted does: quotes count around a word only. Raises ValueError."""
    words: list[str] = []
    rest = command.strip()
    while rest:
        match = _WORD.match(rest)
        if not match:
            raise ValueError("unterminated quote")
        words.append(next(word for word in match.groups() if word is not None))
        rest = rest[match.end() :].lstrip(" \t\r\n")
    return tuple(words)


def _prefix(url: str) -> str:
    return url.removeprefix("https://").rstrip("/")


def _head_of(answer: requests.Response) -> str:
    lines = (f"{name}: {value}" for name, value in answer.headers.items())
    return "\n".join((f"HTTP/1.1 {answer.status_code} {answer.reason}", *lines))[:_MOST_HEAD] + "\n\n"


def parse_headers(output: str) -> _Found:
    """Return what a command printed: URLs, an empty line, headers, an empty line, and so on. Raises ValueError."""
    sections: list[list[str]] = [[]]
    for line in output.split("\n")[:-1]:
        if line:
            sections[-1].append(line)
        else:
            sections.append([])
    if sections.pop() or len(sections) % 2 or output[-1:] not in ("", "\n"):
        raise ValueError("an empty line is missing")
    found: _Found = {}
    for urls, lines in zip(sections[::2], sections[1::2], strict=True):
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(": ")
            if not (colon and _NAME.fullmatch(name) and _VALUE.fullmatch(value.strip())):
                raise ValueError("an invalid header")
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
        found |= dict.fromkeys(urls, headers)
    return found
