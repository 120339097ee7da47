"""Sending an archive: in blocks, several at once, each tried again by itself."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from go_prefetch.errors import StoreError
from go_prefetch.retry import Deadline
from go_prefetch.stores.cache_service.service import Upload

_BLOCK = 8 << 20  # bytes
_AT_ONCE = 6


def send(archive: BinaryIO, size: int, upload: Upload, deadline: Deadline) -> None:
    """Send `size` bytes of `archive`, from its beginning, and finish the upload.

    Raises StoreError and Declined, the first of any block. Holds 48 MiB at most.
    """
    lock, failed = threading.Lock(), threading.Event()

    def put(number: int) -> None:
        if failed.is_set():
            return
        offset = number * _BLOCK
        with lock:
            archive.seek(offset)
            block = archive.read(_BLOCK)
        try:
            upload.put(number, offset, block, deadline)
        except BaseException:
            failed.set()
            raise

    count = -(-size // _BLOCK)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        sent = [threads.submit(put, number) for number in range(count)]
        for block in sent:
            block.result()
    if deadline.passed():
        raise StoreError("store-slow", "the cache service is slow", hint="Nothing was saved; a later run tries again.")
    upload.finish(count, size, deadline)
