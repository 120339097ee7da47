"""Build results from job to job: what is restored, what counts as used, what is saved."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import notice
from go_prefetch.golang.build_cache import ACTION_BYTES
from go_prefetch.model.build_lineage import MOST_BELOW, Lineage
from go_prefetch.stores.cache_service.build_store import Access, BuildStore
from go_prefetch.stores.cache_service.entry_folder import folder_connection
from go_prefetch.stores.cache_service.reading import Connection, Stream
from tests.support.build_shelf import DAY, LINEAGE, BuildShelf, contents_of, digest, files_of, put, use

BIG = b"big" * 100_000


@pytest.fixture
def shelf(tmp_path: Path) -> BuildShelf:
    return BuildShelf(tmp_path)


def saved_once(shelf: BuildShelf) -> None:
    """Let a job make a, b and an executable, and save them."""
    shelf.begin()
    put(shelf.gocache, "a", BIG)
    put(shelf.gocache, "b", b"output of b")
    put(shelf.gocache, "tool", b"program", executable="tool.exe")
    assert shelf.end().is_full


def test_restore_brings_everything_back_two_hours_old(shelf: BuildShelf) -> None:
    saved_once(shelf)
    before = files_of(shelf.gocache)
    moment = time.time()
    restored = shelf.begin()
    assert files_of(shelf.gocache) == before
    assert (restored.files, restored.unpacked_bytes) == (6, sum(map(len, before.values())))
    for name in before:
        assert 7100 < moment - (shelf.gocache / name).stat().st_mtime < 7300
    assert os.access(shelf.gocache / digest(b"program")[:2] / f"{digest(b'program')}-d" / "tool.exe", os.X_OK)


def test_restore_without_an_entry_restores_nothing(shelf: BuildShelf) -> None:
    restored = shelf.begin()
    assert (restored.key, restored.files, restored.warnings) == ("", 0, ())


def test_save_of_a_job_that_compiled_nothing_saves_nothing(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.begin()
    use(shelf.gocache, "a", "b")
    saved = shelf.end()
    assert saved.skipped_reason == notice("nothing-to-save", "compiled")
    assert len(shelf.entries()) == 1


def test_save_of_package_lists_alone_saves_nothing(shelf: BuildShelf) -> None:
    """Each checkout has new times, so Go makes new lists of the main module's files."""
    saved_once(shelf)
    shelf.begin()
    put(shelf.gocache, "list", b"go index v2\n and more")
    assert shelf.end().skipped_reason == notice("nothing-to-save", "compiled")


def test_save_of_new_results_saves_a_delta(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.begin()
    use(shelf.gocache, "a", "b", "tool")
    put(shelf.gocache, "c", b"output of c")
    saved = shelf.end()
    assert (saved.is_full, saved.new_files, saved.new_bytes) == (False, 2, ACTION_BYTES + len(b"output of c"))
    before = files_of(shelf.gocache)
    assert shelf.begin().files == 8
    assert files_of(shelf.gocache) == before


def test_restore_requests_ranges_of_a_full_entry_at_first(shelf: BuildShelf, tmp_path: Path) -> None:
    """Without that, the second request waits for the answer to the first. A delta may have one range."""
    saved_once(shelf)
    shelf.begin()
    use(shelf.gocache, "a", "b", "tool")
    put(shelf.gocache, "c", b"output of c")
    assert not shelf.end().is_full
    connection = folder_connection(shelf.pool, shelf.encoding.name)
    at_first = []

    def opened(*how: Any) -> AbstractContextManager[Stream]:
        at_first.append(how[-1])
        return connection.open(*how)

    store = BuildStore("the pool", lambda: Connection(connection.service, opened), shelf.encoding, Access("3.1"))
    assert store.restore(tmp_path / "gocache", tmp_path / "old", LINEAGE, time.time(), Deadline.after(30)).files == 8
    assert sorted(at_first) == [1, 8]


def test_save_of_an_old_output_saves_its_action_alone(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.begin()
    put(shelf.gocache, "another b", b"output of b")
    put(shelf.gocache, "c", b"output of c")
    assert shelf.end().new_files == 3
    shelf.begin()
    assert digest("another b") in contents_of(shelf.gocache).actions


def test_each_delta_has_only_what_the_job_added(shelf: BuildShelf) -> None:
    saved_once(shelf)
    for number, name in enumerate("cdef"):
        shelf.begin()
        use(shelf.gocache, "a", "b", "tool", *"cdef"[:number])
        put(shelf.gocache, name, name.encode() * 1000)
        assert shelf.end().new_bytes == ACTION_BYTES + 1000
    shelf.begin()
    assert set(contents_of(shelf.gocache).actions) == {digest(name) for name in ("a", "b", "tool", *"cdef")}


def test_save_of_large_deltas_saves_a_full_entry(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.begin()
    use(shelf.gocache, "a", "b", "tool")
    put(shelf.gocache, "c", b"c" * (len(BIG) // 3))
    assert shelf.end().is_full


def test_save_after_large_deltas_saves_a_full_entry(shelf: BuildShelf) -> None:
    """Once those that are there exceed 30 %, and not before."""
    saved_once(shelf)
    kinds = []
    for name in "cde":
        shelf.begin()
        use(shelf.gocache, "a", "b", "tool", *"cde"[: "cde".index(name)])
        put(shelf.gocache, name, name.encode() * (len(BIG) // 5))
        kinds.append(shelf.end().is_full)
    assert kinds == [False, False, True]


def test_save_of_a_long_chain_saves_a_full_entry(shelf: BuildShelf) -> None:
    saved_once(shelf)
    for number in range(MOST_BELOW + 1):
        shelf.begin()
        use(shelf.gocache, "a", "b", "tool")
        put(shelf.gocache, f"new {number}", f"output {number}".encode())
        saved = shelf.end()
    assert saved.is_full


def test_save_after_success_drops_what_was_not_used(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.begin()
    use(shelf.gocache, "b")
    put(shelf.gocache, "c", b"output of c")
    saved = shelf.end()
    assert (saved.is_full, saved.trimmed_bytes) == (True, len(BIG) + len(b"program"))
    shelf.begin()
    assert set(contents_of(shelf.gocache).actions) == {digest("b"), digest("c")}


@pytest.mark.parametrize("new", [b"small", b"c" * len(BIG)], ids=["delta", "full"])
def test_save_after_failure_drops_nothing(shelf: BuildShelf, new: bytes) -> None:
    saved_once(shelf)
    shelf.begin()
    put(shelf.gocache, "c", new)
    shelf.end(succeeded=False)
    shelf.begin()
    assert set(contents_of(shelf.gocache).actions) == {digest(name) for name in ("a", "b", "c", "tool")}


def test_save_never_removes_a_file(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.begin()
    (shelf.gocache / "fuzz").mkdir()
    (shelf.gocache / "fuzz" / "corpus").write_bytes(b"x")
    use(shelf.gocache, "b")
    put(shelf.gocache, "c", b"output of c")
    before = files_of(shelf.gocache)
    shelf.end()
    assert files_of(shelf.gocache) == before


def test_files_from_before_count_as_used_if_young(shelf: BuildShelf) -> None:
    """Go does not set the time of a file that is younger than an hour."""
    shelf.jobs = 1
    shelf.gocache.mkdir()
    put(shelf.gocache, "old", b"old", age=DAY)
    put(shelf.gocache, "young", b"young", age=1800)
    shelf.begin(empty=False)
    shelf.end()
    shelf.begin()
    assert set(contents_of(shelf.gocache).actions) == {digest("young")}


def test_restore_leaves_files_that_are_there(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.jobs += 1
    shelf.gocache.mkdir()
    action, output = put(shelf.gocache, "a", BIG)
    output.write_bytes(b"gib" * 100_000)  # of the same size: Go does not notice it either
    shelf.begin(empty=False)
    assert output.read_bytes() == b"gib" * 100_000
    assert time.time() - action.stat().st_mtime < 60


def test_restore_replaces_an_output_of_another_size(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.jobs += 1
    shelf.gocache.mkdir()
    _, output = put(shelf.gocache, "a", BIG)
    output.write_bytes(b"cut off")
    shelf.begin(empty=False)
    assert output.read_bytes() == BIG


def test_restore_of_another_job_is_used_and_saved_as_full(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.lineage = Lineage(f"{LINEAGE.shared}{'0' * 16}-", LINEAGE.shared)
    restored = shelf.begin()
    assert (restored.files, restored.is_own) == (6, False)
    use(shelf.gocache, "a", "b", "tool")
    put(shelf.gocache, "c", b"output of c")
    assert shelf.end().is_full
    assert shelf.begin().is_own


def test_restore_of_another_toolchain_finds_nothing(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.lineage = Lineage.of({"GOOS": "windows"}, "example.com/project", "build")
    assert shelf.begin().key == ""


def test_a_missing_entry_of_the_chain_leads_to_a_full_one(shelf: BuildShelf) -> None:
    saved_once(shelf)
    for name in "cd":
        shelf.begin()
        use(shelf.gocache, "a", "b", "tool", *("c" if name == "d" else ""))
        put(shelf.gocache, name, name.encode())
        shelf.end()
    shelf.entries()[0].unlink()
    restored = shelf.begin()
    assert restored.key
    assert restored.base.ids == ()
    assert set(contents_of(shelf.gocache).actions) == {digest("c"), digest("d")}
    put(shelf.gocache, "e", b"e")
    assert shelf.end().is_full


def test_a_job_that_may_not_read_or_write_does_neither(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.access = Access("9.1", notice("cache-mode", mode="none"), notice("cache-mode", mode="none"))
    assert shelf.begin().skipped_reason == notice("cache-mode", mode="none")
    put(shelf.gocache, "c", b"c")
    assert shelf.end().skipped_reason == notice("cache-mode", mode="none")
    assert len(shelf.entries()) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_save_reads_no_pipe_that_the_state_names(shelf: BuildShelf) -> None:
    """Other programs of the job may change the state."""
    saved_once(shelf)
    shelf.begin()
    put(shelf.gocache, "c", b"c" * len(BIG))
    pipe = digest("pipe")
    (shelf.gocache / pipe[:2]).mkdir(exist_ok=True)
    os.mkfifo(shelf.gocache / pipe[:2] / f"{pipe}-a")
    assert shelf.state
    base = replace(shelf.state.base, actions={**shelf.state.base.actions, pipe: digest("x"), "a\0b": digest("x")})
    shelf.state = replace(shelf.state, base=base)
    assert shelf.end(succeeded=False).is_full
