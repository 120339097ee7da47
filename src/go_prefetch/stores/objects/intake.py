"""Take files of a pool into a folder, one by one, from many threads."""

from __future__ import annotations

import math
import threading
from collections.abc import Collection
from dataclasses import dataclass

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import free_bytes
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder, name_in_pool
from go_prefetch.modfiles.damage import damage
from go_prefetch.modfiles.staging import InUseError, StructureError, received
from go_prefetch.stores.objects.port import ObjectError, ObjectStorage, Trouble

# Answers in a row after which a storage counts as dead, or as one that denies everything. A bucket that the caller may
# not list denies what it lacks, so more of those are needed.
_MOST_FAILURES = {
    Trouble.UNREACHABLE: 8,
    Trouble.LOGIN: 8,
    Trouble.LIMITED: 32,
    Trouble.REFUSED: 32,
    Trouble.DENIED: 256,
}
# The same for a storage that has sent something: it may deny any number of single objects. A busy one fails all the
# requests that it has at once, and answers those that come next.
_MOST_FAILURES_LATER = {**_MOST_FAILURES, Trouble.UNREACHABLE: 40, Trouble.DENIED: math.inf}
# A file that did not come because of one of these is worth a warning, whatever else came.
_UNEXPECTED = (Trouble.LOGIN, Trouble.UNREACHABLE, Trouble.LIMITED)
# These may be over when everything else has come: it is worth asking once more.
PASSING = frozenset({Trouble.UNREACHABLE, Trouble.LIMITED})


@dataclass(frozen=True)
class Taken:
    """What became of one file. `bytes` is 0 if it did not come, `trouble` why the storage did not give it."""

    file: ModuleFile
    bytes: int = 0
    trouble: Trouble | None = None


class Health:
    """Whether a storage is worth asking. Every answer that brings something proves that it is."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._failures: dict[Trouble, int] = {}
        self._words: dict[Trouble, str] = {}  # of every trouble so far
        self._worked = False
        self._lock = threading.Lock()

    def note_success(self) -> None:
        """Note an answer that brought what was asked for."""
        with self._lock:
            self._failures.clear()
            self._worked = True

    def note(self, error: ObjectError) -> None:
        """Note an answer that did not. A missing object is a sign of life."""
        with self._lock:
            if error.trouble in (Trouble.MISSING, Trouble.TOO_LARGE):
                self._failures.clear()
            else:
                self._failures[error.trouble] = self._failures.get(error.trouble, 0) + 1
                self._words[error.trouble] = error.words

    @property
    def problem(self) -> StoreError | None:
        """Return why nothing more is to be asked; None while there is no reason."""
        with self._lock:
            for trouble, most in (_MOST_FAILURES_LATER if self._worked else _MOST_FAILURES).items():
                if self._failures.get(trouble, 0) >= most:
                    return self._error(trouble)
        return None

    def warning(self, why_not: Collection[Trouble]) -> Notice | None:
        """Return what is to be said of a storage that gave nothing at all, or failed in the middle; None otherwise.

        `why_not` has the troubles because of which files did not come in the end.
        """
        with self._lock:
            if self._failures and not self._worked:
                return self._error(max(self._failures, key=lambda trouble: self._failures[trouble])).notice
            unexpected = next((trouble for trouble in _UNEXPECTED if trouble in why_not), None)
            return self._error(unexpected).notice if unexpected else None

    def _error(self, trouble: Trouble) -> StoreError:
        return trouble_error(self._store, ObjectError(trouble, self._words.get(trouble, "")))


# The slug and the case of each trouble, as far as it concerns more than one object.
_SLUGS = {
    Trouble.DENIED: ("store-denied", ""),
    Trouble.LOGIN: ("store-denied", "login"),
    Trouble.LIMITED: ("store-limited", ""),
    Trouble.UNREACHABLE: ("store-unreachable", "objects"),
}


def trouble_error(store: str, error: ObjectError) -> StoreError:
    """Return the error of a storage that did not do what it was asked."""
    slug, case = _SLUGS.get(error.trouble, ("store-unusable", ""))
    return StoreError(slug, case, store=store, words=error.words or error.trouble.value)


class ObjectIntake:
    """Takes files of the pool `storage` into `folder`."""

    def __init__(self, storage: ObjectStorage, folder: ModuleFolder, deadline: Deadline) -> None:
        self.files: set[ModuleFile] = set()
        self.bytes = 0
        self.damaged: dict[ModuleFile, str] = {}
        self.store = storage.name
        self.health = Health(storage.name)
        self._storage = storage
        self._folder = folder
        self._deadline = deadline
        self._lock = threading.Lock()
        self._left_out = 0
        self._room = free_bytes(folder.path) // 2  # with less, there would be no space to unpack the zips

    def take(self, file: ModuleFile) -> Taken:
        """Take one file. Raises OSError as the folder does."""
        with self._lock:
            room = self._room - self.bytes
        most = min(MAX_BYTES[file.kind], room)
        try:
            with received(self._folder, file) as out:
                size = self._storage.get(name_in_pool(file), out, most, self._deadline)
        except InUseError:
            return Taken(file)
        except StructureError as error:
            self.health.note_success()
            with self._lock:
                self.damaged[file] = str(error)
            return Taken(file)
        except ObjectError as error:
            self.health.note(error)
            with self._lock:
                if error.trouble is Trouble.TOO_LARGE and room < MAX_BYTES[file.kind]:
                    self._left_out += 1
                elif error.trouble is Trouble.TOO_LARGE:
                    self.damaged[file] = f"{error.words} are more than Go accepts"
            return Taken(file, trouble=error.trouble)
        self.health.note_success()
        self.note(file, size)
        return Taken(file, size)

    def note(self, file: ModuleFile, size: int) -> None:
        """Note a file that came, alone or in a bundle."""
        with self._lock:
            self.files.add(file)
            self.bytes += size

    def warnings(self) -> tuple[Notice, ...]:
        """Return warnings about skipped files."""
        store = self._storage.name
        no_room = (notice("store-no-room", "pool", store=store, count=self._left_out),) if self._left_out else ()
        return (*no_room, *damage(store, self.damaged))
