"""Measure one module proxy: samples, which zips of the plan it has, its transfer rate."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence

from go_prefetch.base.untrusted_json import parse_object, text
from go_prefetch.doctor.candidates import Candidate
from go_prefetch.doctor.measurement import Holding, Measurement, Sample, Transfer
from go_prefetch.doctor.probe import BodyLimit, Probe, Reply
from go_prefetch.doctor.sampling import Limits, Progress, Target
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile
from go_prefetch.golang.module import ModuleVersion

# Requested from a proxy that must not see the project's modules. It is public, and every mirror has it.
PUBLIC_MODULE = ModuleVersion("golang.org/x/text", "v0.14.0")

_TRIES = 3
_MOST_ZIPS = 8
_TRANSFER_SECONDS = 1.5
_LONGEST_TRANSFER = 10.0
_SETTLED = 0.5


def target_of(candidate: Candidate, modules: Sequence[ModuleVersion]) -> Target:
    """Return the target for the samples of a proxy: the `.info` of these modules in turn."""
    urls = (f"{candidate.proxy.url}/{ModuleFile(module, 'info').url_path}" for module in modules)
    return Target(candidate.proxy.shown, candidate.role, tuple(urls), MAX_BYTES["info"], _problem_of)


def _problem_of(reply: Reply) -> str:
    """Return why an answer is not that of a module proxy; nothing for one that is, or for a negative one."""
    if reply.sample.failure:
        return reply.sample.failure
    sensible = reply.not_found or bool(text(parse_object(reply.body), "Version"))
    return "" if sensible else f"200, but no .info: {kind_of(reply.body)}"


def kind_of(body: bytes) -> str:
    """Return what the beginning of an unexpected body looks like."""
    start = body[:512].lstrip().lower()
    if len(body) >= MAX_BYTES["info"]:
        return "a body without end"
    return "a web page" if start.startswith((b"<!doctype", b"<html", b"<")) else "something else"


def find_holdings(
    probe: Probe, url: str, modules: Sequence[ModuleVersion], limits: Limits, progress: Progress
) -> tuple[Holding, ...]:
    """Return for each module whether its zip is there. Requests one byte of it, for many modules at once.

    Modules without time left are missing from the result.
    """
    waiting: queue.SimpleQueue[ModuleVersion] = queue.SimpleQueue()
    found: queue.SimpleQueue[Holding | Exception] = queue.SimpleQueue()
    for module in modules:
        waiting.put(module)

    def work() -> None:
        while not limits.deadline.passed():
            try:
                module = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                found.put(_holding(probe, url, module, limits))
            except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
                found.put(error)

    for _ in range(min(limits.jobs, len(modules))):
        threading.Thread(target=work, daemon=True).start()  # a daemon: a silent server must not delay the end
    holdings: dict[ModuleVersion, Holding] = {}
    while len(holdings) < len(modules):
        try:
            holding = found.get(timeout=max(0.01, limits.deadline.left() + _SETTLED))
        except queue.Empty:
            break
        if isinstance(holding, Exception):
            raise holding
        holdings[holding.module] = holding
        progress(f"{len(holdings)} of {len(modules)} modules requested")
    return tuple(holdings[module] for module in modules if module in holdings)


def _holding(probe: Probe, url: str, module: ModuleVersion, limits: Limits) -> Holding:
    limit = BodyLimit(2, limits.stall_timeout, only_first_byte=True)
    asked = f"{url}/{ModuleFile(module, 'zip').url_path}"
    reply = probe.get(asked, limit, limits.deadline)
    for _ in range(_TRIES - 1):
        if not reply.sample.lost or limits.deadline.passed():
            break
        reply = probe.get(asked, limit, limits.deadline)
    return _holding_from(module, reply)


def _holding_from(module: ModuleVersion, reply: Reply) -> Holding:
    if reply.sample.failure:
        return Holding(module, None, failure=reply.sample.failure)
    if reply.not_found:
        return Holding(module, has=False)
    if not b"PK".startswith(reply.body[:2]) or not reply.body:
        return Holding(module, None, failure=f"200, but no zip: {kind_of(reply.body)}")
    return Holding(module, has=True, size=reply.size)


def transfer(probe: Probe, url: str, modules: Sequence[ModuleVersion], limits: Limits, progress: Progress) -> Transfer:
    """Measure the rate of zips, one at a time, in the given order, until there is enough data."""
    taken = Transfer()
    started = time.monotonic()
    for module in modules[:_MOST_ZIPS]:
        if taken.seconds >= _TRANSFER_SECONDS or limits.deadline.passed():
            break
        progress(f"throughput, {module}")
        left = _LONGEST_TRANSFER - (time.monotonic() - started)
        limit = BodyLimit(MAX_BYTES["zip"], left, keep=False)
        reply = probe.get(f"{url}/{ModuleFile(module, 'zip').url_path}", limit, limits.deadline)
        taken = Transfer(
            taken.bytes + reply.later_bytes,
            taken.seconds + reply.later_seconds,
            taken.zips + (reply.status == 200 and not reply.sample.failure),
            taken.failure or reply.sample.failure,
        )
    return taken


def proxy_measurement(
    candidate: Candidate,
    samples: tuple[Sample, ...],
    notes: tuple[str, ...],
    holdings: tuple[Holding, ...],
    transferred: Transfer,
) -> Measurement:
    """Combine the measurements of one proxy."""
    guarded = (
        f"behind a `,` that protects paths: measured with {PUBLIC_MODULE}, not with your modules"
        if candidate.is_guarded
        else ""
    )
    all_notes = tuple(note for note in (guarded, *notes) if note)
    return Measurement(candidate.proxy.shown, candidate.role, samples, holdings, transferred, all_notes)
