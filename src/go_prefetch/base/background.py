"""Calls in daemon threads. Unlike those of an executor, they do not keep the program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, as_completed
from typing import TypeVar

_Result = TypeVar("_Result")
_Key = TypeVar("_Key")


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
