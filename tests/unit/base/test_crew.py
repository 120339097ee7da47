"""Threads that are dismissed leave nothing half done, and the files of others alone."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from go_prefetch.base.atomic_file import new_file
from go_prefetch.base.crew import Crew
from go_prefetch.base.retry import Deadline


def test_dismissed_crew_leaves_files_of_other_threads(tmp_path: Path) -> None:
    """A pool in a bucket is read while a download goes on, and ends first."""
    crew = Crew("count", lambda number: number, Deadline(), [1, 2])
    with new_file(tmp_path, "other") as file:
        while crew.left:
            crew.take(2)
        crew.dismiss(seconds=60)
        file.write(b"whole")
    assert (tmp_path / "other").read_bytes() == b"whole"


@pytest.mark.skipif(sys.platform == "win32", reason="it removes no open file")
def test_dismissed_crew_removes_files_of_threads_that_hang(tmp_path: Path) -> None:
    begun, end = threading.Event(), threading.Event()

    def hang(name: str) -> None:
        with new_file(tmp_path, name):
            begun.set()
            end.wait(60)

    crew = Crew("hang", hang, Deadline(), ["mine"])
    crew.widen(1)
    assert begun.wait(60)
    crew.dismiss(seconds=0)
    assert list(tmp_path.iterdir()) == []
    end.set()
    while crew.take(1) is None:
        pass
    assert list(tmp_path.iterdir()) == []


def test_sorted_crew_takes_waiting_items_in_that_order() -> None:
    crew = Crew("sort", lambda item: item, Deadline(), [2, 3, 1])
    crew.sort(lambda item: (0, -item))
    done = []
    while crew.left:
        done.append(crew.take(1))
    assert list(filter(None, done)) == [3, 2, 1]
