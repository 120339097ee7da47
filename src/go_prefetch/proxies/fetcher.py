"""Download one file by walking the proxy list: which proxy is next, when to retry, when to give up on one.

Within one round the walk follows GOPROXY's grammar (see goproxy.py). Between rounds it backs off. A proxy that fails
again and again rests (circuit_breaker.py). A slow request gets a second one (hedging.py), at the next proxy if errors
may go there, otherwise at the same one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from go_prefetch.base.retry import AttemptError, Budget, Retries
from go_prefetch.golang.goproxy import Proxy, ProxyList
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.results import FailedAttempt, Failure, Fetched, PassedOver
from go_prefetch.proxies.attempt import Get, Limit, Outcome, ProxyAttempt
from go_prefetch.proxies.circuit_breaker import CircuitBreaker
from go_prefetch.proxies.hedging import Hedging
from go_prefetch.proxies.plain_go import Asked, ends_at
from go_prefetch.web.in_flight import Received, Wire

_PATIENCE = 0.2  # seconds that a file waits for the limit of a proxy, if it may go on to another one
_SHORTEST_WAIT = 0.05


@dataclass
class _Attempts:
    """What has happened to one file so far."""

    started: float
    asked: list[Asked] = field(default_factory=list)
    given_up: set[Proxy] = field(default_factory=set)
    not_found: set[Proxy] = field(default_factory=set)
    not_found_yet: set[Proxy] = field(default_factory=set)  # the same, but the next round may differ
    limited: list[float] = field(default_factory=list)  # seconds until proxies take requests again, of this round
    is_charged: bool = False  # whether a request of this round failed for another reason

    @property
    def failed(self) -> tuple[FailedAttempt, ...]:
        """Return each request that brought nothing."""
        return tuple(_failed_attempt(one.proxy, one.error) for one in self.asked if one.error)

    def note(self, outcome: Outcome) -> None:
        """Add the result of a request."""
        broke_off = outcome.received.interruptions if outcome.received else ()
        self.asked += [Asked(outcome.proxy, error) for error in broke_off]
        self.asked.append(Asked(outcome.proxy, outcome.error))
        if outcome.error:
            if outcome.error.kind == "limited":
                self.limited.append(outcome.error.retry_after or 0.0)
            elif outcome.error.transient and outcome.error.kind != "overtaken":
                self.is_charged = True
            if outcome.error.not_found:
                (self.not_found_yet if outcome.error.transient else self.not_found).add(outcome.proxy)
            elif not outcome.error.transient:
                self.given_up.add(outcome.proxy)


def _failed_attempt(proxy: Proxy, error: AttemptError) -> FailedAttempt:
    if error.kind == "limited" and error.status is None:  # it was not sent
        return FailedAttempt(proxy.shown, passed_over=PassedOver.LIMITED)
    return FailedAttempt(
        proxy.shown, error.words, error.status, error.at_http_proxy, cause=error.cause, not_found=error.not_found
    )


@dataclass(frozen=True)
class Request:
    """A request that has not ended: its file, the proxy as shown in a log, the bytes of the file that have come."""

    file: ModuleFile
    proxy: str
    bytes: int


class ProxyWalk:
    """Walks one proxy list for many files, from many threads."""

    def __init__(self, proxies: ProxyList, get: Get, budget: Budget) -> None:
        self.budget = budget
        self.goproxy = proxies.text  # for Go; it may contain a password
        self._proxies = proxies.proxies
        self._ending = proxies.ending
        self._hedging = Hedging()
        clock = budget.deadline.clock
        self._health = {proxy: CircuitBreaker(self._patience(proxy), clock) for proxy in self._proxies}
        self._limits = {proxy: Limit() for proxy in self._proxies}
        self._attempt = ProxyAttempt(get, budget.deadline, self._health, self._limits, self._hedging.record_latency)
        self._underway: dict[Wire, tuple[Proxy, ModuleFile]] = {}

    def _patience(self, proxy: Proxy) -> int:
        """Return the failures in a row after which a proxy rests: as many as can run at once.

        The only proxy gets all its attempts.
        """
        others = proxy.on_any_error and len(self._proxies) > 1
        return self.budget.jobs.least * (1 if others else self.budget.backoff.attempts)

    @property
    def jobs(self) -> int:
        """Return the downloads to run at once, as far as the answers tell: more if they take long to begin."""
        jobs = self.budget.jobs
        if jobs.least == jobs.most:  # asked for with each file that comes, so nothing is sorted for a fixed number
            return jobs.least
        latency = self._hedging.latency
        return jobs.least if latency is None else jobs.for_latency(latency)

    def fetch(self, file: ModuleFile, folder: ModuleFolder, avoid: str = "") -> Fetched | Failure:
        """Download `file` into `folder`, from any proxy except `avoid` if there is another.

        Return a Failure if every proxy of the walk has answered 404 or 410, or has had `attempts` requests. Raises
        OSError if the folder cannot be written.
        """
        proxies = self._others_than(avoid)
        so_far = _Attempts(started=time.monotonic())
        rounds = self.budget.retries()
        while True:
            so_far.limited, so_far.is_charged = [], False
            for proxy in self._askable(proxies, so_far):
                won = self._ask(proxy, proxies, file, folder, so_far)
                if won and won.received:
                    return self._fetched(file, won.proxy, won.received, so_far, avoid)
                if proxy not in so_far.not_found | so_far.not_found_yet and not proxy.on_any_error:
                    break
            if not self._may_go_on(proxies, so_far, rounds):
                not_found = set(proxies) <= so_far.not_found | so_far.not_found_yet
                return Failure(file, not_found=not_found, attempts=self._tried(proxies, so_far))

    def _may_go_on(self, proxies: Sequence[Proxy], so_far: _Attempts, rounds: Retries) -> bool:
        """Wait, and return whether there is another round.

        A round that met nothing but limits is not charged, nor is the first rest of a proxy: it may be restarting.
        """
        deadline = self.budget.deadline
        if not self._askable(proxies, so_far):
            if so_far.is_charged and not rounds.at_once():
                return False
            answered = so_far.given_up | so_far.not_found
            rests = [self._health[proxy].first_rest_left for proxy in proxies if proxy not in answered]
            known = [seconds for seconds in rests if seconds is not None]
            return deadline.wait(min(known)) if known else bool(self._askable(proxies, so_far))  # it may have ended
        if so_far.is_charged or not so_far.limited:
            return rounds.again()
        seconds = max(_SHORTEST_WAIT, min(so_far.limited) - _PATIENCE)
        return seconds < deadline.left() and deadline.wait(seconds)

    def limit_of(self, source: str) -> tuple[int, float]:
        """Return how often the proxy shown as `source` refused requests, and the seconds of waiting for its limit."""
        limits = [limit for proxy, limit in self._limits.items() if proxy.shown == source]
        return sum(limit.refusals for limit in limits), max((limit.seconds for limit in limits), default=0.0)

    def failed_attempts(self, source: str) -> int:
        """Return the number of failed attempts at the proxy shown as `source`."""
        return sum(health.failed_attempts for proxy, health in self._health.items() if proxy.shown == source)

    @property
    def urls(self) -> tuple[str, ...]:
        """Return the URLs of the proxies, which may contain passwords."""
        return tuple(proxy.url for proxy in self._proxies)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the proxies for a log, each once."""
        return tuple(dict.fromkeys(proxy.shown for proxy in self._proxies))

    @property
    def underway(self) -> tuple[Request, ...]:
        """Return the requests that have not ended, the oldest first."""
        requests = self._underway.copy()  # other threads change it
        return tuple(Request(file, proxy.shown, wire.received) for wire, (proxy, file) in requests.items())

    def _askable(self, proxies: Sequence[Proxy], so_far: _Attempts) -> list[Proxy]:
        """Return the proxies for this file, as far as the grammar lets the walk continue."""
        askable = []
        for proxy in proxies:
            if proxy in so_far.not_found:
                continue
            passed_over = proxy in so_far.given_up or self._health[proxy].is_resting
            if not passed_over:
                askable.append(proxy)
            elif not proxy.on_any_error:
                break
        return askable

    def _others_than(self, avoid: str) -> list[Proxy]:
        """Return all but one. If a `,` follows it, those behind it are left out too, and it is used again."""
        others = []
        for proxy in self._proxies:
            if proxy.shown != avoid:
                others.append(proxy)
            elif not proxy.on_any_error:
                break
        return others or list(self._proxies)

    def _rival(self, proxy: Proxy, proxies: Sequence[Proxy], so_far: _Attempts) -> Proxy:
        """Return the proxy for a second request: the one after `proxy` if errors go there, otherwise the same."""
        behind = proxies[proxies.index(proxy) + 1 :] if proxy.on_any_error else ()
        return next(iter(self._askable(behind, so_far)), proxy)

    def _ask(
        self, proxy: Proxy, proxies: Sequence[Proxy], file: ModuleFile, folder: ModuleFolder, so_far: _Attempts
    ) -> Outcome | None:
        """Return the outcome that brought the file, if one did. Raises OSError."""
        rival = self._rival(proxy, proxies, so_far)
        askable = self._askable(proxies, so_far)
        patience = _PATIENCE if len(askable) > 1 and askable[0].on_any_error else math.inf
        outcomes = self._hedging.race(
            lambda wire, finish: self._requested(proxy, file, folder, wire.patient(patience), finish),
            lambda wire, finish: self._requested(rival, file, folder, wire.patient(0.0), finish),
        )
        for outcome in outcomes:
            so_far.note(outcome)
        won = next((outcome for outcome in outcomes if outcome.received), None)
        trouble = next((outcome.trouble for outcome in outcomes if outcome.trouble), None)
        if trouble and not won:
            raise trouble
        return won

    def _requested(
        self, proxy: Proxy, file: ModuleFile, folder: ModuleFolder, wire: Wire, finish: Callable[[], None]
    ) -> Outcome:
        self._underway[wire] = proxy, file
        try:
            return self._attempt.attempt(proxy, file, folder, wire, finish)
        finally:
            del self._underway[wire]

    def _fetched(self, file: ModuleFile, proxy: Proxy, came: Received, so_far: _Attempts, avoid: str) -> Fetched:
        rejected = avoid in self.names  # Go rejected what that proxy sent
        return Fetched(
            file,
            proxy.shown,
            came.bytes,
            credentialed=came.has_login or proxy.has_credentials,
            seconds=time.monotonic() - so_far.started,
            failed=so_far.failed,
            is_joined=came.is_joined,
            plain_go_fails=rejected or ends_at(so_far.asked, self._proxies, self._ending),
            began=so_far.started,
        )

    def _tried(self, proxies: Sequence[Proxy], so_far: _Attempts) -> tuple[FailedAttempt, ...]:
        answered = so_far.not_found | so_far.given_up
        resting = [p for p in proxies if p not in answered and self._health[p].is_resting]
        asked = answered | {one.proxy for one in so_far.asked}
        after_a_comma = proxies[1:] if proxies and not proxies[0].on_any_error else []
        return (
            *so_far.failed,
            *(FailedAttempt(p.shown, passed_over=PassedOver.RESTING) for p in resting),
            *(FailedAttempt(p.shown, passed_over=PassedOver.AFTER_COMMA) for p in after_a_comma if p not in asked),
        )
