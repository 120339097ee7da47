"""Calls in daemon threads. Unlike those of an executor, they do not keep the program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, as_completed, wait
from typing import Any, TypeVar

from go_prefetch.base.retry import Deadline

_Result = TypeVar("_Result")
_Key = TypeVar("_Key")

# Seconds. A signal right before a wait does not end it, and Python handles it afterwards.
LOOK_EVERY = 0.25
_LONGEST_END = 2.0  # seconds


def run_in_background(call: Callable[[], _Result]) -> Future[_Result]:
    """Run a call in a daemon thread and return its Future."""
    future: Future[_Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - result() raises it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def at_once(work: Mapping[_Key, Callable[[], _Result]]) -> dict[_Key, _Result]:
    """Run all work at the same time, and return the results. Raises the first exception."""
    futures = {key: run_in_background(one) for key, one in work.items()}
    for future in as_completed(futures.values()):
        future.result()
    return {key: future.result() for key, future in futures.items()}


def result_of(future: Future[_Result]) -> _Result:
    """Wait for a Future and return its result. A signal to this process is handled in the meantime."""
    while not future.done():
        wait([future], timeout=LOOK_EVERY)
    return future.result()


def end(futures: Collection[Future[Any]], deadline: Deadline) -> None:
    """Cancel calls that keep to this deadline, and let them end within 2 s: they may be about to create a file."""
    deadline.cancel()
    wait(futures, timeout=_LONGEST_END)


def wait_for_all(futures: Collection[Future[_Result]]) -> None:
    """Wait until all have ended, whatever their results. A signal to this process is handled in the meantime."""
    while wait(futures, timeout=LOOK_EVERY).not_done:
        pass
