"""Getting one file by walking the proxy list: which proxy next, when to try again, when to give up on one.

Within one round the walk follows GOPROXY's grammar (see proxylist.py); between rounds it backs off. A proxy that
has failed many times in a row without one answer is passed over.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from go_prefetch.incoming import StructureError, received
from go_prefetch.modcache import MAX_BYTES, ModuleFile
from go_prefetch.proxylist import Proxy, ProxyList
from go_prefetch.results import Failure, Fetched
from go_prefetch.retry import AttemptError, Backoff, Deadline

# URL, destination, most bytes to take, deadline: the bytes taken. Raises AttemptError. See httpclient.py.
Get = Callable[[str, Path, int, Deadline], int]


@dataclass
class _Health:
    """How one proxy has been doing: failures in a row, and in all."""

    in_a_row: int = 0
    failed_attempts: int = 0


@dataclass
class _Attempts:
    """What happened to one file so far."""

    started: float
    words: list[str] = field(default_factory=list)
    given_up: set[Proxy] = field(default_factory=set)
    not_found: set[Proxy] = field(default_factory=set)
    asked: set[Proxy] = field(default_factory=set)
    retry_after: float = 0.0


class ProxyWalk:
    """Walks one proxy list for many files, from many threads."""

    def __init__(
        self,
        proxies: ProxyList,
        get: Get,
        backoff: Backoff,
        *,
        width: int,
        deadline: Deadline,
        pause: Callable[[float], object],
    ) -> None:
        self.goproxy = proxies.text  # for Go; it may contain a password
        self._proxies = proxies.proxies
        self._get = get
        self._backoff = backoff
        self._deadline = deadline
        self._pause = pause
        self._width = width
        self._lock = threading.Lock()
        self._health = {proxy: _Health() for proxy in self._proxies}

    def fetch(self, file: ModuleFile, folder: Path, avoid: str = "") -> Fetched | Failure:
        """Bring `file` into `folder` (GOPROXY layout), from any proxy but `avoid` where there is another.

        Returns a Failure once every proxy that may be asked has answered 404 or 410, or has been asked `attempts`
        times. Raises OSError if the folder cannot be written.
        """
        proxies = [proxy for proxy in self._proxies if proxy.shown != avoid] or list(self._proxies)
        so_far = _Attempts(started=time.monotonic())
        for round_number in range(1, self._backoff.attempts + 1):
            for proxy in self._askable(proxies, so_far):
                fetched = self._ask(proxy, file, folder, so_far)
                if fetched:
                    return fetched
                if proxy not in so_far.not_found and not proxy.on_any_error:
                    break
            if not self._askable(proxies, so_far) or self._deadline.passed():
                break
            if round_number < self._backoff.attempts:
                wait = self._backoff.wait(round_number, so_far.retry_after)
                self._pause(min(wait, self._deadline.left()))
        return Failure(file, not_found=set(proxies) <= so_far.not_found, attempts=self._told(proxies, so_far))

    def failed_attempts(self, source: str) -> int:
        """How many attempts failed at the proxy shown as `source`."""
        return sum(health.failed_attempts for proxy, health in self._health.items() if proxy.shown == source)

    @property
    def names(self) -> tuple[str, ...]:
        """The proxies as they may be shown, each once."""
        return tuple(dict.fromkeys(proxy.shown for proxy in self._proxies))

    def _askable(self, proxies: list[Proxy], so_far: _Attempts) -> list[Proxy]:
        """Proxies this file may still be asked from, as far as the grammar lets the walk go on."""
        askable = []
        for proxy in proxies:
            if proxy in so_far.not_found:
                continue
            if proxy not in so_far.given_up and not self._is_down(proxy):
                askable.append(proxy)
            if not proxy.on_any_error and (proxy in so_far.given_up or self._is_down(proxy)):
                break
        return askable

    def _told(self, proxies: list[Proxy], so_far: _Attempts) -> tuple[str, ...]:
        passed_over = [p for p in proxies if p not in so_far.not_found | so_far.given_up and self._is_down(p)]
        asked = so_far.not_found | so_far.given_up | so_far.asked
        after_a_comma = proxies[1:] if proxies and not proxies[0].on_any_error else []
        return (
            *so_far.words,
            *(f"{p.shown}: passed over, it failed many times in a row" for p in passed_over),
            *(
                f"{p.shown}: not asked, `,` goes on only where a file is not found"
                for p in after_a_comma
                if p not in asked
            ),
        )

    def _ask(self, proxy: Proxy, file: ModuleFile, folder: Path, so_far: _Attempts) -> Fetched | None:
        so_far.asked.add(proxy)
        try:
            with received(folder, file) as beside:
                size = self._transfer(proxy, file, beside)
        except AttemptError as error:
            so_far.words.append(f"{proxy.shown}: {error}")
            self._note(proxy, answered=error.not_found or not error.transient)
            if error.not_found:
                so_far.not_found.add(proxy)
            elif not error.transient:
                so_far.given_up.add(proxy)
            so_far.retry_after = error.retry_after or 0.0
            return None
        except StructureError as error:
            so_far.words.append(f"{proxy.shown}: {error}")
            self._note(proxy, answered=False)
            return None
        except FileNotFoundError:  # go clears away V.zip*.tmp before it downloads V.zip itself: one of another run
            so_far.words.append(f"{proxy.shown}: the file was taken away while it came")
            return None
        self._note(proxy, answered=True)
        seconds = time.monotonic() - so_far.started
        return Fetched(file, proxy.shown, size, proxy.has_credentials, seconds, tuple(so_far.words))

    def _transfer(self, proxy: Proxy, file: ModuleFile, beside: Path) -> int:
        parts = urlsplit(proxy.url)
        if parts.scheme != "file":
            return self._get(f"{proxy.url}/{file.url_path}", beside, MAX_BYTES[file.kind], self._deadline)
        from urllib.request import url2pathname  # noqa: PLC0415 - 20 ms, and file:// proxies are few

        here = Path(url2pathname(parts.path)) / file.name
        if not here.is_file():
            raise AttemptError("no such file", not_found=True)
        shutil.copyfile(here, beside)
        return beside.stat().st_size

    def _note(self, proxy: Proxy, *, answered: bool) -> None:
        with self._lock:
            health = self._health[proxy]
            health.in_a_row = 0 if answered else health.in_a_row + 1
            health.failed_attempts += not answered

    def _is_down(self, proxy: Proxy) -> bool:
        """As many failures in a row as can be under way at once; the only proxy gets all its attempts."""
        rounds = 1 if proxy.on_any_error and len(self._proxies) > 1 else self._backoff.attempts
        return self._health[proxy].in_a_row >= self._width * rounds
