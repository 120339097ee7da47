"""Upload an archive in blocks while it is written, so that packing and sending take place at the same time.

Its size is not known before its end. Neither protocol needs it earlier.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from typing import Any

from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.cache_service.protocol import Upload

_BLOCK = 4 << 20  # bytes of an upload that are sent at once: the last ones are waited for
_AT_ONCE = 12  # blocks
_MOST = 24  # blocks that are packed and not sent: packing goes on while a part that does not compress is sent


class BlockUpload:
    """Takes the bytes of an archive in order. `size` is the number of those that it has taken.

    Each block is sent in a thread of its own, with retries. `write` waits while too many are not sent yet.
    """

    def __init__(self, reserve: Callable[[], Upload], deadline: Deadline, sent: Callable[[int], None]) -> None:
        self._reserved = run_in_background(reserve)
        self._deadline = deadline
        self._sent = sent
        self._room = threading.Semaphore(_MOST)
        self._turns = threading.Semaphore(_AT_ONCE)
        self._blocks: list[Future[None]] = []
        self._rest = bytearray()
        self.size = 0

    def write(self, data: bytes, /) -> None:
        """Take the next bytes. Raises StoreError, NotAllowed: of the reservation, or of an earlier block."""
        earlier: list[Future[Any]] = [self._reserved, *self._blocks]
        for one in earlier:
            if one.done():
                one.result()
        self.size += len(data)
        self._rest += data
        while len(self._rest) > _BLOCK:  # one block at least is left for the end
            self._send(bytes(self._rest[:_BLOCK]))
            del self._rest[:_BLOCK]

    def finish(self) -> None:
        """Send the rest, wait for every block, and turn them into an entry. Raises StoreError, NotAllowed."""
        rest = bytes(self._rest)
        if self._blocks:
            self._send(rest)
        for block in as_completed(self._blocks):
            block.result()
        upload = self._reserved.result()
        if self._deadline.passed():
            raise StoreError("store-slow", "upload")
        if self._blocks:
            upload.finish(len(self._blocks), self.size, self._deadline)
        else:
            upload.put_whole(rest, self._deadline)
            self._sent(len(rest))

    def abandon(self) -> None:
        """Leave nothing behind, once the key is reserved."""
        self._reserved.add_done_callback(_abandon)

    def _send(self, block: bytes) -> None:
        self._room.acquire()
        number = len(self._blocks)
        self._blocks.append(run_in_background(lambda: self._put(number, block)))

    def _put(self, number: int, block: bytes) -> None:
        try:
            upload = self._reserved.result()
            with self._turns:
                upload.put(number, number * _BLOCK, block, self._deadline)
            self._sent(len(block))
        finally:
            self._room.release()


def _abandon(reserved: Future[Upload]) -> None:
    if not reserved.exception():
        reserved.result().abandon()


@contextmanager
def uploading(
    reserve: Callable[[], Upload], deadline: Deadline, sent: Callable[[int], None] = lambda _: None
) -> Iterator[BlockUpload]:
    """Upload what the block writes, and turn it into an entry if the block succeeds. Uses 100 MiB at most.

    The key is reserved while the block writes already. `sent` is called with the size of each block that has arrived.
    After an error the upload is abandoned.

    Raises the first StoreError or NotAllowed.
    """
    upload = BlockUpload(reserve, deadline, sent)
    try:
        yield upload
        upload.finish()
    except BaseException:
        upload.abandon()
        raise
