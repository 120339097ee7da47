"""Download what is still missing from the proxies, many files at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from go_prefetch.base.background import end, result_of, run_in_background
from go_prefetch.base.crew import Crew
from go_prefetch.base.retry import Deadline
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Arrived
from go_prefetch.model.progress import Look, Meter
from go_prefetch.model.results import Downloaded, FailedAttempt, Failure, Fetched, PassedOver, Restored, Source
from go_prefetch.modfiles.managed_folder import folder_error
from go_prefetch.proxies.fetcher import ProxyWalk

_Outcome = Fetched | Failure | Exception


def still_missing(plan: Plan, restored: Restored) -> tuple[ModuleFile, ...]:
    """Return planned files to download from the proxies.

    If a store records that no proxy has a file, it is skipped, except for zips: a build may fail without one.
    """
    denied = {file for file in restored.unavailable if file.kind != "zip"}
    return tuple(
        file
        for file in plan.missing
        if file not in restored.files and file not in denied and file.module not in plan.private
    )


def ignore_arrival(file: ModuleFile) -> None:
    """Ignore an arrival."""
    del file


def download(
    files: Sequence[ModuleFile],
    walk: ProxyWalk,
    folder: ModuleFolder,
    *,
    avoid: str = "",
    meter: Meter,
    arrived: Arrived = ignore_arrival,
    shares: Callable[[], bool] = lambda: False,
) -> Downloaded:
    """Download `files` into `folder`, within the budget of `walk`. A failure is part of the result, not raised.

    While it `shares` the link and the processors with other work, the number of downloads at once stays the least.

    A list without any proxy (`direct`, `off`) leaves everything to Go, because no proxy has denied a file. Raises
    DownloadError if the folder cannot be written or is full.
    """
    if not walk.names:
        return Downloaded()
    started, deadline = time.monotonic(), walk.budget.deadline
    meter.expect(files)
    meter.watch(lambda: _underway(walk))
    outcomes = _Outcomes(len(files), folder, meter, arrived)
    crew = Crew("download", lambda file: walk.fetch(file, folder, avoid), deadline, files)
    try:
        while outcomes.awaited:
            outcome = crew.take(walk.budget.jobs.least if shares() else walk.jobs)
            if outcome is not None:
                outcomes.add(outcome)
            elif deadline.is_over:
                crew.dismiss(seconds=1.0)
                for late in crew.rest():
                    outcomes.add(late)
                break
    except BaseException:
        deadline.cancel()
        crew.dismiss(seconds=1.0)
        raise
    return outcomes.result(files, walk, time.monotonic() - started)


class Ahead:
    """A download that begins once the store has said what it lacks, while the store delivers the rest.

    A context manager: it does not outlive its block if that ends with an error, such as a Ctrl-C.
    """

    def __init__(self, call: Callable[..., Downloaded], deadline: Deadline) -> None:
        """Prepare a download by `call`, which is `download` for some folder."""
        self._call = call
        self._deadline = deadline
        self._meter = Meter("Download")
        self._running: Future[Downloaded] | None = None
        self._lock = threading.Lock()
        self._is_over = self._is_awaited = False

    def begin(self, files: Sequence[ModuleFile]) -> None:
        """Begin with these files, unless the block has ended. Call it once at most, from any thread."""
        with self._lock:
            if not files or self._is_over:
                return
            call = partial(self._call, files, meter=self._meter, shares=lambda: not self._is_awaited)
            self._running = run_in_background(call)

    def result(self, meter: Meter) -> Downloaded:
        """Wait for the last file, and show the progress on `meter`. Raises what `download` raises."""
        self._is_awaited = True
        if self._running is None:
            return Downloaded()
        meter.follow(self._meter)
        return result_of(self._running)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._is_over = True
        if kind and self._running:
            end([self._running], self._deadline)


def _underway(walk: ProxyWalk) -> Look:
    """Return the bytes that have come of unfinished files, and the oldest request."""
    requests = walk.underway
    waiting_for = f"{requests[0].file} from {requests[0].proxy}" if requests else "the next attempt"
    return Look(bytes=sum(request.bytes for request in requests), waiting_for=waiting_for)


class _Outcomes:
    """Collects results."""

    def __init__(self, awaited: int, folder: ModuleFolder, meter: Meter, arrived: Arrived) -> None:
        self.awaited = awaited
        self._folder = folder
        self._meter = meter
        self._arrived = arrived
        self._fetched: list[Fetched] = []
        self._failures: list[Failure] = []
        self._bytes = 0

    def add(self, outcome: _Outcome) -> None:
        self.awaited -= 1
        if isinstance(outcome, OSError):
            raise folder_error(outcome, self._folder.path, self._about_left)
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, Failure):
            self._failures.append(outcome)
            self._meter.failed()
        else:
            self._fetched.append(outcome)
            self._bytes += outcome.bytes
            self._meter.done(outcome.file, outcome.bytes)
            self._arrived(outcome.file)

    @property
    def _about_left(self) -> int:
        """Return about how many bytes are still to come, as far as the files that came tell."""
        return self._bytes * (self.awaited + 1) // len(self._fetched) if self._fetched else 0

    def result(self, files: Sequence[ModuleFile], walk: ProxyWalk, seconds: float) -> Downloaded:
        known = {fetched.file for fetched in self._fetched} | {failure.file for failure in self._failures}
        no_time = (FailedAttempt("", passed_over=PassedOver.NO_TIME),)
        late = [Failure(file, not_found=False, attempts=no_time) for file in files if file not in known]
        return Downloaded(
            files={fetched.file: fetched.source for fetched in self._fetched},
            bytes=self._bytes,
            seconds=seconds,
            sources=self._sources(walk),
            failures=(*self._failures, *late),
            credentialed=frozenset(fetched.file for fetched in self._fetched if fetched.credentialed),
            fetched=tuple(self._fetched),
        )

    def _sources(self, walk: ProxyWalk) -> tuple[Source, ...]:
        rows = []
        for name in walk.names:
            sizes = [fetched.bytes for fetched in self._fetched if fetched.source == name]
            failed, (refusals, seconds) = walk.failed_attempts(name), walk.limit_of(name)
            if sizes or failed or refusals:
                rows.append(Source(name, len(sizes), sum(sizes), failed, refusals, seconds))
        return tuple(rows)
