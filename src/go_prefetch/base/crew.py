"""Daemon threads that work on one item after the other. A silent server must not outlive the deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from go_prefetch.base.atomic_file import remove_unfinished
from go_prefetch.base.background import LOOK_EVERY
from go_prefetch.base.retry import Deadline

Item = TypeVar("Item")
Result = TypeVar("Result")


class Crew(Generic[Item, Result]):
    """Threads that `call` for each item, at most until `deadline` is cancelled. `finished` has their results.

    A call that raises ends its thread, and the exception is its result. `task` is what the threads are named after.
    """

    def __init__(
        self, task: str, call: Callable[[Item], Result], deadline: Deadline, items: Iterable[Item] = ()
    ) -> None:
        self.finished: queue.SimpleQueue[Result | Exception] = queue.SimpleQueue()
        self._task = task
        self._call = call
        self._deadline = deadline
        self._waiting: deque[Item] = deque(items)
        self.left = len(self._waiting)  # items whose result was not taken
        self._at_work = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def add_first(self, items: Collection[Item]) -> None:
        """Put items before those that wait."""
        with self._lock:
            self._waiting.extendleft(items)
            self.left += len(items)

    def add_last(self, items: Collection[Item]) -> None:
        """Put items behind those that wait."""
        with self._lock:
            self._waiting.extend(items)
            self.left += len(items)

    def sort(self, key: Callable[[Item], tuple[int, ...]]) -> None:
        """Sort the items that wait."""
        with self._lock:
            self._waiting = deque(sorted(self._waiting, key=key))

    def withdraw(self, items: Collection[Item]) -> None:
        """Take items back, except those that a thread has begun with."""
        with self._lock:
            kept = deque(item for item in self._waiting if item not in items)
            self.left -= len(self._waiting) - len(kept)
            self._waiting = kept

    def widen(self, width: int) -> None:
        """Start threads until there are so many at work, unless no item waits for one."""
        with self._lock:
            for _ in range(min(width - self._at_work, len(self._waiting))):
                name = f"{self._task} {len(self._threads) + 1}"
                self._threads.append(threading.Thread(target=self._work, daemon=True, name=name))
                self._at_work += 1
                self._threads[-1].start()

    def take(self, width: int) -> Result | Exception | None:
        """Return the next result; None if none came for a moment, so that the caller can look at other things.

        Up to `width` threads work on the rest.
        """
        self.widen(width)
        try:
            outcome = self.finished.get(timeout=max(0.01, min(LOOK_EVERY, self._deadline.left())))
        except queue.Empty:
            return None
        with self._lock:
            self.left -= 1
        return outcome

    def _next(self) -> Iterator[Item]:
        while not self._deadline.is_cancelled:
            with self._lock:
                if not self._waiting:
                    return
                item = self._waiting.popleft()
            yield item

    def _work(self) -> None:
        try:
            for item in self._next():
                self.finished.put(self._call(item))
        except Exception as error:  # noqa: BLE001 - passed to the thread that waits for this item
            self.finished.put(error)
        finally:
            with self._lock:
                self._at_work -= 1

    def dismiss(self, seconds: float) -> None:
        """Start no other item, let the threads finish, and remove the unfinished files of those that do not."""
        with self._lock:
            self._waiting.clear()
        until = time.monotonic() + seconds
        for thread in filter(threading.Thread.is_alive, self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        remove_unfinished({thread.ident for thread in self._threads if thread.is_alive()})

    def rest(self) -> Iterator[Result | Exception]:
        """Yield what has finished already."""
        with suppress(queue.Empty):
            while True:
                yield self.finished.get_nowait()
