"""Sending an archive: in blocks, several at once, each tried again by itself."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, wait
from typing import BinaryIO

from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.cache_service.protocol import Upload

_BLOCK = 8 << 20  # bytes
_AT_ONCE = 6


def send(archive: BinaryIO, size: int, upload: Upload, deadline: Deadline) -> None:
    """Send `size` bytes of `archive`, from its beginning, and finish the upload.

    Raises StoreError and Declined, the first of any block. Holds 48 MiB at most.
    """
    count = -(-size // _BLOCK)
    lock, failed, numbers = threading.Lock(), threading.Event(), iter(range(count))

    def put_some() -> None:
        while not failed.is_set():
            with lock:
                number = next(numbers, None)
                if number is None:
                    return
                archive.seek(number * _BLOCK)
                block = archive.read(_BLOCK)
            upload.put(number, number * _BLOCK, block, deadline)

    senders = [run_in_background(put_some) for _ in range(min(_AT_ONCE, count))]
    try:
        for sender in wait(senders, return_when=FIRST_EXCEPTION).done:
            sender.result()
    finally:
        failed.set()
    if deadline.passed():
        raise StoreError("store-slow", "upload")
    upload.finish(count, size, deadline)
