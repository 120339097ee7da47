"""A storage of objects in memory: what a bucket promises, and a clock and troubles that a test sets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import BinaryIO

from go_prefetch.base.retry import Deadline
from go_prefetch.stores.objects.port import ObjectError, ObjectInfo, Trouble


class MemoryObjects:
    """The methods are those of ObjectStorage. `troubles` is what a method raises, by its name."""

    name = "s3://bucket"

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.troubles: dict[str, Trouble] = {}
        self.listed: list[str] = []
        self.piece = 1000  # bytes of each write to a reader
        self._lock = threading.Lock()

    def get(self, name: str, out: BinaryIO, most: int, deadline: Deadline) -> int:
        """Write an object in pieces."""
        del deadline
        self._check("get")
        if name not in self.objects:
            raise ObjectError(Trouble.MISSING)
        content = self.objects[name][0]
        if len(content) > most:
            raise ObjectError(Trouble.TOO_LARGE)
        out.writelines(content[at : at + self.piece] for at in range(0, len(content), self.piece))
        return len(content)

    def put(self, name: str, content: BinaryIO, deadline: Deadline, *, replaces: bool = False) -> bool:
        """Take an object, unless there is one."""
        del deadline
        self._check("put")
        content.seek(0)
        with self._lock:
            if name in self.objects and not replaces:
                return False
            self.objects[name] = content.read(), self.now
            return True

    def size(self, name: str, deadline: Deadline) -> int | None:
        """Return the size of an object."""
        del deadline
        self._check("size")
        return len(self.objects[name][0]) if name in self.objects else None

    def remove(self, name: str, deadline: Deadline) -> None:
        """Remove an object."""
        del deadline
        self._check("remove")
        self.objects.pop(name, None)

    def entries(self, prefix: str, deadline: Deadline) -> Iterator[ObjectInfo]:
        """List a whole folder, or all, as buckets' clients do."""
        del deadline
        assert prefix.endswith("/") or not prefix
        self.listed.append(prefix)
        self._check("entries")
        for name, (content, modified) in sorted(self.objects.items()):
            if name.startswith(prefix):
                yield ObjectInfo(name, len(content), modified)

    def _check(self, method: str) -> None:
        if method in self.troubles:
            raise ObjectError(self.troubles[method], "words of the server")
