"""Give the files of a checkout times that follow from their content, so that `go test` finds its results again.

Go keys the result of a test by the time and size of each file that the test opens, and its index of a package by those
of the source files. A fresh checkout has new times. git has a hash of the content of each file. Equal content gets an
equal time, and other content another one, so that Go notices a file that changes and keeps its size.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from go_prefetch.base import nofollow
from go_prefetch.base.git_command import GitCommand, NotTrustedError
from go_prefetch.base.git_index import GitFailedError, IndexCopy, Replacement
from go_prefetch.base.nofollow import Folder
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import notice
from go_prefetch.model.results import StableTimes

_BILLION = 10**9
_FOLDER_TIME = 946_684_800 * _BILLION  # 2000-01-01, in nanoseconds; files have a later time
_SECONDS = 3650 * 86_400  # all times of files are within these: they end in 2009


def give_stable_times(git: GitCommand, folders: Iterable[Path], deadline: Deadline) -> StableTimes:
    """Give stable times to the unmodified files of each repository around `folders`, and of its submodules.

    Every problem is a warning of the result.
    """
    began = time.monotonic()
    tops = {folder: _top_of(folder.resolve()) for folder in folders}
    outside = [_skipped("no-repository", folder) for folder, top in tops.items() if top is None]
    given = sum(outside, StableTimes())
    pending = deque(top for top in tops.values() if top)
    done: set[Path] = set()
    while pending and not deadline.is_over:
        top = pending.popleft()
        if top not in done:
            done.add(top)
            one, submodules = _of_repository(git, top, deadline)
            given += one
            pending += submodules
    return replace(given, seconds=time.monotonic() - began)


def time_of(content: str) -> int:
    """Return the time, in nanoseconds, of a file whose content has this hash."""
    rest, seconds = divmod(int(content, 16), _SECONDS)
    return _FOLDER_TIME + (1 + seconds) * _BILLION + rest % _BILLION


def times_by_folder(contents: Mapping[str, str]) -> dict[tuple[str, ...], dict[str, int]]:
    """Return the time of each file, by its folder and then by its name. The folders on the way have a time too."""
    times: dict[tuple[str, ...], dict[str, int]] = {}
    for name, content in contents.items():
        *parts, last = name.split("/")
        times.setdefault(tuple(parts), {})[last] = time_of(content)
        while parts:
            *parts, last = parts
            siblings = times.setdefault(tuple(parts), {})
            if last in siblings:
                break  # so are the folders above it
            siblings[last] = _FOLDER_TIME
    return times


def _top_of(folder: Path) -> Path | None:
    return next((path for path in (folder, *folder.parents) if os.path.lexists(path / ".git")), None)


def _skipped(case: str, folder: Path, words: str = "") -> StableTimes:
    return StableTimes(warnings=(notice("test-cache-skipped", case, folder=folder, words=words),))


def _of_repository(git: GitCommand, top: Path, deadline: Deadline) -> tuple[StableTimes, list[Path]]:
    """Return the result for one repository, and its submodules that are checked out."""
    try:
        with git.index_of(top, lambda most: min(most, deadline.left())) as index:
            if index is None or index.is_locked:
                return _skipped("locked" if index else "no-repository", top), []
            tracked = index.tracked()
            inner = [top / name for name in tracked.submodules]
            files = _Files(top, index)
            files.set_times(tracked.unmodified)
            files.refresh_index()
    except NotTrustedError:
        return _skipped("not-trusted", top), []
    except GitFailedError:
        return _skipped("git", top), []
    except OSError as error:
        return _skipped("system", top, error.strerror or str(error)), []
    return files.result(tracked.total), [path for path in inner if path.resolve() == path == _top_of(path)]


class _Files:
    """The files of one repository that have got a stable time."""

    def __init__(self, top: Path, index: IndexCopy) -> None:
        self._top, self._index = top, index
        self._given: set[str] = set()
        self._refused: list[str] = []  # what the system says, once for each file
        self._index_problem = self._index_words = ""

    def set_times(self, contents: Mapping[str, str]) -> None:
        """Set the times of these files and of their folders. Links are not followed, and get their own time."""
        for parts, names in times_by_folder(contents).items():
            try:
                with nofollow.opened(self._top, parts) as folder:
                    self._set_in(folder, "/".join((*parts, "")), names)
                if not parts:
                    os.utime(self._top, ns=(_FOLDER_TIME, _FOLDER_TIME))
            except (FileNotFoundError, NotADirectoryError):
                continue  # a program has changed it in the meantime
            except OSError as error:
                self._refused += [error.strerror or str(error)] * len(names)

    def _set_in(self, folder: Folder, prefix: str, names: Mapping[str, int]) -> None:
        for name, at in names.items():
            found = folder.stat(name)
            if found is None or stat.S_ISDIR(found.st_mode) != (at == _FOLDER_TIME):
                continue
            if not stat.S_ISDIR(found.st_mode) and found.st_nlink > 1:
                continue  # its other names may be outside of the checkout
            try:
                if found.st_mtime_ns != at:
                    folder.set_times(name, found.st_atime_ns, at)
            except OSError as error:
                self._refused.append(error.strerror or str(error))
            else:
                if at != _FOLDER_TIME:
                    self._given.add(prefix + name)

    def refresh_index(self) -> None:
        """Tell git the times. A file that has changed since git was asked gets the present time."""
        try:
            self._set_present_time(self._given & self._index.refresh())
            replacement = self._index.replace()
        except GitFailedError:
            self._index_problem = "git"
            self._set_present_time(self._given)  # it is not known which have changed
        except OSError as error:
            self._index_problem, self._index_words = "system", error.strerror or str(error)
        else:
            self._index_problem = "" if replacement is Replacement.DONE else replacement.value

    def _set_present_time(self, names: set[str]) -> None:
        now = time.time_ns()
        for name in names:
            with suppress(FileNotFoundError, NotADirectoryError), nofollow.parent(self._top, name) as (folder, last):
                folder.set_times(last, now, now)
        self._given -= names

    def result(self, total: int) -> StableTimes:
        """Return the number of files, out of `total` tracked ones, and the warnings."""
        warnings = []
        if self._refused:
            words, count = self._refused[0], len(self._refused)
            warnings.append(notice("test-cache-skipped", "files", folder=self._top, count=count, words=words))
        if self._index_problem:
            words = self._index_words
            warnings.append(notice("test-cache-index", self._index_problem, folder=self._top, words=words))
        return StableTimes(len(self._given), total - len(self._given), warnings=tuple(warnings))
