"""One save to a pool of objects: many at once, each on the condition that there is none."""

from __future__ import annotations

import os
from collections.abc import Collection
from random import SystemRandom

from go_prefetch.base.crew import Crew
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.golang.modcache import ModuleFile, name_in_pool
from go_prefetch.model.ports import Saving
from go_prefetch.model.progress import Meter
from go_prefetch.stores.objects.port import ObjectStorage

_WRITES = 16  # at once
_ASK_FIRST = 1 << 20  # bytes; a storage may take the whole body before it says that there is such an object


class Writing:
    """One save: many objects at once, each unless there is one."""

    def __init__(
        self, storage: ObjectStorage, saving: Saving, damaged: Collection[ModuleFile], deadline: Deadline, meter: Meter
    ) -> None:
        self.files = self.bytes = 0
        self._storage = storage
        self._saving = saving
        self._replaced = saving.rejected.union(damaged)
        self._deadline = deadline
        self._meter = meter

    def run(self) -> None:
        """Write the files. Raises ObjectError for the first that the storage does not take, StoreError, OSError."""
        for file in self._saving.rejected.difference(self._saving.files):
            self._storage.remove(name_in_pool(file), self._deadline)
        # Jobs that start together would otherwise all send the same file at the same time.
        shuffled = SystemRandom().sample(self._saving.files, len(self._saving.files))
        crew = Crew("save", self._put, self._deadline, shuffled)
        try:
            while crew.left:
                outcome = crew.take(_WRITES)
                if isinstance(outcome, Exception):
                    raise outcome
                if outcome is not None:
                    file, put = outcome
                    self.files += put > 0
                    self.bytes += put
                    self._meter.done(file, self._saving.folder.size_if_there(file))
                if self._deadline.is_over:
                    raise StoreError("store-slow", "pool-save", store=self._storage.name)
        finally:
            crew.dismiss(seconds=1.0)

    def _put(self, file: ModuleFile) -> tuple[ModuleFile, int]:
        """Put one file. Return it, and its bytes unless there was such an object."""
        name, replaces = name_in_pool(file), file in self._replaced
        with self._saving.folder.path_of(file).open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            is_there = not replaces and size >= _ASK_FIRST and self._storage.size(name, self._deadline) == size
            put = not is_there and self._storage.put(name, content, self._deadline, replaces=replaces)
        return file, size if put else 0
