"""The trace of `go mod download -x`, read while it runs: requests, and commands of version control.

# get URL                       # get URL: 200 OK (0.123s)
cd DIR; git fetch …             0.456s # cd DIR; git fetch …
mkdir -p DIR # git3 REMOTE      # DIR for git3 REMOTE
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from go_prefetch.base.trace import UNTRACED, Trace

_GET = re.compile(r"# get (?P<url>\S+?)(?:: (?P<status>.*?)(?: \((?P<seconds>[0-9]{1,9}(?:[.][0-9]+)?)s\))?)?$")
_COMMAND = re.compile(r"(?:(?P<seconds>[0-9]{1,9}(?:[.][0-9]+)?)s # )?cd (?P<folder>.+?); (?P<command>\S.*)$")
_REMOTE = re.compile(r"(?:mkdir -p |# )(?P<folder>\S+) (?:#|for) [a-z0-9]+ (?P<remote>\S+)$")
_PROBE = re.compile(r"(?P<command>(?:git|hg|svn|bzr|fossil) \S+) (?P<remote>\S*://(?P<place>\S+))$")
_LOGIN = re.compile(r"(?<=://)[^/?#\s]*@")
_OTHER = re.compile(r"mkdir -p |-> unzip |# lock |cd \S+$")


@dataclass(frozen=True)
class Pending:
    """A request or command of Go that has begun but not ended. `remote` is a URL without its password."""

    command: str  # `git fetch`, `get`
    remote: str

    @property
    def is_version_control(self) -> bool:
        """Return whether Go started another program for it."""
        return self.command != "get"


class GoTrace:
    """Reads the lines of one run."""

    def __init__(self, trace: Trace = UNTRACED) -> None:
        self._trace = trace
        self._begun: dict[str, Pending] = {}
        self._remotes: dict[str, str] = {}

    @property
    def pending(self) -> tuple[Pending, ...]:
        """Return what has begun but not ended, oldest first."""
        return tuple(self._begun.values())

    def read(self, line: str) -> bool:
        """Read one line. Return whether it belongs to the trace and is not an error."""
        if remote := _REMOTE.match(line):
            self._remotes[remote["folder"]] = _shown(remote["remote"])
            self._begun.pop(f"probe {remote['remote'].partition('://')[2]}", None)
            return True
        if probe := _PROBE.match(line):
            self._begun.pop(f"probe {probe['place']}", None)
            pending = Pending(probe["command"], _shown(probe["remote"]))
            return self._note(f"probe {probe['place']}", pending, ended=False, seconds=None)
        if got := _GET.match(line):
            pending = Pending("get", _shown(got["url"]))
            return self._note(f"get {got['url']}", pending, ended=got["status"] is not None, seconds=got["seconds"])
        if run := _COMMAND.match(line):
            words = run["command"].split()
            remote_words = [_shown(word) for word in words if "://" in word]
            remote_shown = (remote_words or [self._remotes.get(run["folder"], "")])[0]
            pending = Pending(" ".join(words[:2]), remote_shown)
            key = f"{run['folder']}; {run['command']}"
            return self._note(key, pending, ended=run["seconds"] is not None, seconds=run["seconds"])
        return _OTHER.match(line) is not None

    def _note(self, key: str, pending: Pending, *, ended: bool, seconds: str | None) -> bool:
        if not ended:
            self._begun[key] = pending
            return True
        self._begun.pop(key, None)
        now = time.monotonic()
        self._trace.add(f"go: {pending.command} {pending.remote}", "go", now - float(seconds or 0), now, {})
        return True


def _shown(url: str) -> str:
    """Return a URL without user and password. Go hides the password in its own requests, but not in commands of git."""
    shown = _LOGIN.sub("", url, count=1)
    try:
        urlsplit(shown)
    except ValueError:  # untrusted text that only looks like a URL
        return ""
    return shown
