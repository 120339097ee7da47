"""A pool in place of a cache service: what is found, saved, kept and refused. Real files."""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.base.run_file import recording
from go_prefetch.errors import StoreError
from go_prefetch.prune.whole_pool import contents_of
from go_prefetch.stores import entry_files
from go_prefetch.stores.cache_service import block_upload
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.entry_folder import EntryFolder, folder_connection
from go_prefetch.stores.cache_service.protocol import NotAllowed
from tests.support.build_entries import (
    ENCODING,
    LINEAGE,
    NO_LIMIT,
    OTHER_JOB,
    TOOLCHAIN,
    build_id,
    build_key,
    entry_path,
    entry_paths,
    found_key,
    make_older,
    read_entry,
    save_entry,
    saved_numbers,
)
from tests.support.waiting import wait_until

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return tmp_path / "pool"


def leftovers(pool: Path) -> list[str]:
    return [
        path.name for path in (pool / ".go-prefetch").rglob("*") if path.name.startswith("run-") or "tmp" in path.name
    ]


def test_entry_of_many_blocks_is_read_as_it_was_saved(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_upload, "_BLOCK", 1000)
    content = os.urandom(33_333)
    save_entry(pool, build_key(1), content)
    assert read_entry(pool, build_key(1)) == content
    assert leftovers(pool) == []


def test_entry_without_bytes_is_read_as_it_was_saved(pool: Path) -> None:
    save_entry(pool, build_key(1), b"")
    assert read_entry(pool, build_key(1)) == b""


def test_entry_with_the_longest_key_is_found(pool: Path) -> None:
    """No name of a file may have more than 255 bytes."""
    for number in range(15, -1, -1):
        key = build_key(*range(number, 16), run=f"{'9' * 20}.{'8' * 20}")
        save_entry(pool, key)
    assert len(key) > 350
    assert found_key(pool, LINEAGE) == key


def test_look_up_takes_the_newest_of_the_first_prefix(pool: Path) -> None:
    save_entry(pool, build_key(1))
    save_entry(pool, build_key(2, 1))
    save_entry(pool, build_key(3, lineage=OTHER_JOB))
    assert found_key(pool, LINEAGE, TOOLCHAIN) == build_key(2, 1)
    assert found_key(pool, TOOLCHAIN) == build_key(3, lineage=OTHER_JOB)
    assert found_key(pool, f"{LINEAGE}{build_id(1)}") == build_key(1)
    assert found_key(pool, f"{LINEAGE}{build_id(2)}.{build_id(1)}-7.1") == build_key(2, 1)
    assert found_key(pool, f"{LINEAGE}{build_id(2)}-") is None
    make_older(pool, 1, [2])
    assert found_key(pool, LINEAGE) == build_key(1)


def test_look_up_without_a_first_match_takes_the_next_prefix(pool: Path) -> None:
    save_entry(pool, build_key(3, lineage=OTHER_JOB))
    assert found_key(pool, LINEAGE, TOOLCHAIN) == build_key(3, lineage=OTHER_JOB)


def test_look_up_of_entries_of_one_age_goes_by_name(pool: Path) -> None:
    for number in (2, 3, 1):
        save_entry(pool, build_key(number))
    for path in entry_paths(pool):
        os.utime(path, (1, 1))
    assert found_key(pool, LINEAGE) == build_key(3)


def test_look_up_sees_one_encoding_only(pool: Path) -> None:
    save_entry(pool, build_key(1))
    assert folder_connection(pool, "plain-1").service.look_up([LINEAGE], NO_LIMIT) is None


def test_look_up_without_a_pool_finds_nothing_and_makes_none(pool: Path) -> None:
    assert found_key(pool, LINEAGE) is None
    assert not pool.exists()


def test_look_up_in_an_unreadable_pool_is_a_store_error(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_entry(pool, build_key(1))

    def refuse(*_: object) -> object:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("go_prefetch.base.nofollow.opened", refuse)
    with pytest.raises(StoreError) as raised:
        found_key(pool, LINEAGE)
    assert raised.value.slug == "store-unreadable"


def test_foreign_files_are_no_entries(pool: Path) -> None:
    """A name without a key, a file without its first line, a line of another key, a folder, a temporary file."""
    save_entry(pool, build_key(1))
    (good,) = entry_paths(pool)
    folder = good.parent
    name = good.name.replace(build_id(1), "%s")
    (folder / "README").write_text("mine")
    (folder / (name % build_id(2))).write_bytes(b"an archive")
    (folder / (name % build_id(3))).write_bytes(good.read_bytes())
    (folder / (name % build_id(4))).mkdir()
    (folder / (name % build_id(5))).write_bytes(b"go-prefetch-entry-1 " + b"a" * 10_000)
    (folder / (name % build_id(6))).write_bytes(b"go-prefetch-entry-1 \xff\xfe\n")
    (folder / f"{name % build_id(7)}{'1' * 19}.tmp").write_bytes(b"half")
    (folder / (name % build_id(8))).touch()
    assert found_key(pool, LINEAGE) == build_key(1)
    assert all(found_key(pool, f"{LINEAGE}{build_id(number)}") is None for number in range(2, 9))


@posix
def test_links_in_the_pool_are_never_followed(pool: Path, tmp_path: Path) -> None:
    """In place of an entry, of the lock, and of each folder. A save replaces a link by a folder."""
    outside = tmp_path / "outside"
    save_entry(outside, build_key(1))
    save_entry(outside, build_key(2, 1))
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    folder = pool / ".go-prefetch" / "entries"
    folder.mkdir(parents=True)
    planted = folder / entry_path(outside, 1).name
    planted.symlink_to(entry_path(outside, 1))
    assert found_key(pool, LINEAGE) is None
    (folder / "lock").symlink_to(tmp_path / "made")
    save_entry(pool, build_key(3))
    assert not (tmp_path / "made").exists()
    assert found_key(pool, LINEAGE) == build_key(3)
    for place in (folder, folder.parent):
        place.rename(tmp_path / f"moved {place.name}")
        place.symlink_to(outside / place.relative_to(pool), target_is_directory=True)
        assert found_key(pool, LINEAGE) is None
        save_entry(pool, build_key(4))
        assert found_key(pool, LINEAGE) == build_key(4)
        assert not place.is_symlink()
        save_entry(pool, build_key(5))
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before


def test_save_of_a_key_that_is_there_is_not_allowed(pool: Path) -> None:
    save_entry(pool, build_key(1), b"first")
    with pytest.raises(NotAllowed) as refused:
        save_entry(pool, build_key(1), b"second")
    assert refused.value.notice.slug == "entry-taken"
    assert read_entry(pool, build_key(1)) == b"first"


def test_two_saves_of_one_key_at_once_keep_the_first(pool: Path) -> None:
    service = EntryFolder(pool, ENCODING)
    one, two = service.reserve(build_key(1), NO_LIMIT), service.reserve(build_key(1), NO_LIMIT)
    two.put_whole(b"two", NO_LIMIT)
    one.put(0, 0, b"one", NO_LIMIT)
    with pytest.raises(NotAllowed):
        one.finish(1, 3, NO_LIMIT)
    assert read_entry(pool, build_key(1)) == b"two"
    assert leftovers(pool) == []


def test_save_of_a_delta_without_its_base_is_not_allowed(pool: Path) -> None:
    """Before it is written, and when another job has removed the base meanwhile."""
    with pytest.raises(NotAllowed) as refused:
        save_entry(pool, build_key(2, 1))
    assert refused.value.notice.slug == "entry-base-gone"
    save_entry(pool, build_key(1))
    upload = EntryFolder(pool, ENCODING).reserve(build_key(2, 1), NO_LIMIT)
    entry_path(pool, 1).unlink()
    with pytest.raises(NotAllowed):
        upload.put_whole(b"delta", NO_LIMIT)
    assert saved_numbers(pool) == []
    assert leftovers(pool) == []


def test_save_of_a_key_of_another_kind_is_not_allowed(pool: Path) -> None:
    with pytest.raises(NotAllowed):
        save_entry(pool, "../../etc/passwd")
    assert not pool.exists()


def test_save_into_a_file_is_a_store_error(pool: Path) -> None:
    pool.write_text("a file")
    with pytest.raises(StoreError) as raised:
        save_entry(pool, build_key(1))
    assert raised.value.slug == "store-unwritable"


def test_full_disk_is_a_store_error_and_leaves_nothing(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes that came before it are gone at once, and later blocks fail in the same way."""
    monkeypatch.setattr(block_upload, "_BLOCK", 100_000)
    upload = EntryFolder(pool, ENCODING).reserve(build_key(1), NO_LIMIT)
    upload.put(0, 0, bytes(100_000), NO_LIMIT)

    class Full:
        def __init__(self, file: BinaryIO) -> None:
            self._file = file

        def seek(self, offset: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    upload._file = Full(upload._file)  # type: ignore[attr-defined]
    for number in (1, 2):
        with pytest.raises(StoreError) as raised:
            upload.put(number, number * 100_000, bytes(100_000), NO_LIMIT)
        assert raised.value.slug == "store-unwritable"
    assert list((pool / ".go-prefetch" / "entries").iterdir()) == []


def test_save_after_its_deadline_is_a_store_error(pool: Path) -> None:
    upload = EntryFolder(pool, ENCODING).reserve(build_key(1), NO_LIMIT)
    with pytest.raises(StoreError) as raised:
        upload.put(0, 0, b"block", Deadline.after(0))
    assert raised.value.slug == "store-slow"
    upload.abandon()


def test_read_after_its_deadline_is_a_store_error(pool: Path) -> None:
    save_entry(pool, build_key(1))
    connection = folder_connection(pool, ENCODING)
    with (
        pytest.raises(StoreError) as raised,
        connection.open(entry_path(pool, 1).name, lambda: "", Deadline.after(0), 1) as stream,
    ):
        stream.read(1)
    assert raised.value.slug == "store-slow"


@pytest.mark.parametrize("damage", ["gone", "other line"])
def test_read_of_an_entry_that_went_is_a_store_error(pool: Path, damage: str) -> None:
    save_entry(pool, build_key(1))
    path = entry_path(pool, 1)
    path.unlink()
    if damage == "other line":
        path.write_bytes(b"an archive")
    with (
        pytest.raises(StoreError) as raised,
        folder_connection(pool, ENCODING).open(path.name, lambda: "", NO_LIMIT, 1) as stream,
    ):
        stream.read(1)
    assert raised.value.slug == "store-damaged"


@posix
def test_read_continues_when_the_entry_is_removed(pool: Path) -> None:
    save_entry(pool, build_key(1), b"content")
    with folder_connection(pool, ENCODING).open(entry_path(pool, 1).name, lambda: "", NO_LIMIT, 1) as stream:
        assert stream.read(3) == b"con"
        entry_path(pool, 1).unlink()
        assert stream.read(10) == b"tent"


@posix
def test_read_marks_the_entry_as_used(pool: Path) -> None:
    save_entry(pool, build_key(1))
    make_older(pool, 1000)
    before = entry_path(pool, 1).stat()
    read_entry(pool, build_key(1))
    after = entry_path(pool, 1).stat()
    assert after.st_atime > time.time() - 1000
    assert after.st_mtime_ns == before.st_mtime_ns


def test_save_keeps_the_two_newest_and_what_is_below(pool: Path) -> None:
    """Of its lineage. Other lineages are not looked at."""
    save_entry(pool, build_key(90, lineage=OTHER_JOB))
    for numbers in ((1,), (2, 1), (3, 2, 1), (4,), (5, 4)):
        save_entry(pool, build_key(*numbers))
        make_older(pool, 2)
    assert saved_numbers(pool) == [4, 5, 90]
    save_entry(pool, build_key(6, 5, 4))
    assert saved_numbers(pool) == [4, 5, 6, 90]


def test_save_keeps_the_chain_of_the_one_before_the_newest(pool: Path) -> None:
    for numbers in ((1,), (2, 1), (3, 1), (4,)):
        save_entry(pool, build_key(*numbers))
        make_older(pool, 2)
    assert saved_numbers(pool) == [1, 3, 4]


def test_save_keeps_what_was_saved_within_the_hour(pool: Path) -> None:
    """Jobs that have restored it may add to it."""
    for number in range(1, 6):
        save_entry(pool, build_key(number))
    assert saved_numbers(pool) == [1, 2, 3, 4, 5]


def test_folder_of_one_job_is_ignored_by_git(pool: Path) -> None:
    """Go would stamp a program with `vcs.modified`."""
    save_entry(pool, build_key(1), is_shared=False)
    assert (pool / ".gitignore").read_text().endswith("\n*\n")
    save_entry(pool, build_key(2, 1), is_shared=False)
    assert contents_of(pool).names


def test_save_in_a_folder_of_one_job_keeps_one_chain(pool: Path) -> None:
    for numbers in ((1,), (2, 1), (3,)):
        save_entry(pool, build_key(*numbers), is_shared=False)
    assert saved_numbers(pool) == [3]


def test_save_in_a_folder_of_one_job_forgets_old_lineages(pool: Path) -> None:
    """Such as that of another version of Go. An entry stays as long as its lineage gets new ones."""
    old, young = f"{TOOLCHAIN}{'8' * 16}-", f"{TOOLCHAIN}{'9' * 16}-"
    for lineage in (old, young):
        save_entry(pool, build_key(1, lineage=lineage), is_shared=False)
    make_older(pool, 8 * 24)
    save_entry(pool, build_key(2, 1, lineage=young))
    save_entry(pool, build_key(3))
    assert len(entry_paths(pool)) == 4
    save_entry(pool, build_key(4), is_shared=False)
    assert found_key(pool, old) is None
    assert found_key(pool, f"{young}{build_id(1)}") is not None


def test_save_removes_a_damaged_entry_and_no_foreign_file(pool: Path) -> None:
    save_entry(pool, build_key(1))
    foreign = entry_path(pool, 1).parent / "README"
    foreign.write_text("mine")
    entry_path(pool, 1).with_name(entry_path(pool, 1).name.replace(build_id(1), build_id(9))).write_bytes(b"damaged")
    save_entry(pool, build_key(2, 1))
    assert saved_numbers(pool) == [1, 2]
    assert foreign.exists()


@posix
def test_save_after_one_from_the_future_is_the_newest(pool: Path) -> None:
    """The clock of a machine is a year ahead. Its entries go like all others."""
    save_entry(pool, build_key(1))
    make_older(pool, -24 * 365)
    for number in range(2, 6):
        save_entry(pool, build_key(number))
        assert found_key(pool, LINEAGE) == build_key(number)
    assert saved_numbers(pool) == [4, 5]


@posix
def test_save_while_another_holds_the_lock_removes_nothing(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_files, "_LOCK_SECONDS", 0.0)
    for number in (1, 2):
        save_entry(pool, build_key(number))
        make_older(pool, 2)
    with entry_files.opened_entries(pool) as folder:
        assert folder is not None
        with entry_files.locked(folder) as is_locked:
            assert is_locked
            save_entry(pool, build_key(3))
    assert saved_numbers(pool) == [1, 2, 3]


@posix
def test_entries_have_the_permissions_of_the_users_files(pool: Path) -> None:
    before = os.umask(0o027)
    try:
        save_entry(pool, build_key(1))
    finally:
        os.umask(before)
    assert stat.S_IMODE(entry_path(pool, 1).stat().st_mode) == 0o640


def test_two_writers_at_once_leave_whole_chains(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each adds to what it finds, and removes what it may, while the other does the same."""
    monkeypatch.setattr(entry_files, "YOUNG", 0)
    refusals: list[str] = []

    def write(first: int) -> None:
        for number in range(first, first + 25):
            found = found_key(pool, LINEAGE)
            below = [int(one, 16) for one in found[len(LINEAGE) :].split("-")[0].split(".")] if found else []
            try:
                save_entry(pool, build_key(number, *(below if len(below) < 5 else [])), bytes(10_000))
            except NotAllowed as no:
                refusals.append(no.notice.slug)

    writers = [threading.Thread(target=write, args=(first,)) for first in (100, 200)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert set(refusals) <= {"entry-base-gone"}
    there = saved_numbers(pool)
    with entry_files.opened_entries(pool) as folder:
        assert folder is not None
        keys = [entry_files.entry_of(folder, path.name) for path in entry_paths(pool)]
    assert all(key and {int(one, 16) for one in key.ids} <= set(there) for key in keys)
    assert 1 <= len(there) <= 10
    assert leftovers(pool) == []


def test_pool_of_a_thousand_entries_is_searched_and_trimmed(pool: Path) -> None:
    save_entry(pool, build_key(1))
    (path,) = entry_paths(pool)
    head, name = path.read_bytes(), path.name
    for number in range(2, 1001):
        other = path.with_name(name.replace(build_id(1), build_id(number)))
        other.write_bytes(head.replace(build_id(1).encode(), build_id(number).encode()))
        os.utime(other, (number, number))
    os.utime(path, (1, 1))
    assert found_key(pool, LINEAGE) == build_key(1000)
    assert found_key(pool, build_key(1)) == build_key(1)
    save_entry(pool, build_key(5000))
    assert saved_numbers(pool) == [1000, 5000]


def test_upload_whose_writer_fails_leaves_nothing(pool: Path) -> None:
    """At once: what Python cleans up later, it may clean up in a thread that holds a lock."""
    upload = EntryFolder(pool, ENCODING).reserve(build_key(1), NO_LIMIT)

    def fail() -> None:
        with uploading(lambda: upload, NO_LIMIT) as out:
            out.write(b"content")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    wait_until(lambda: leftovers(pool) == [], "an abandoned upload that is gone")
    assert not list((pool / ".go-prefetch").glob("run-*"))
    with pytest.raises(StoreError):
        upload.put(0, 0, b"too late", NO_LIMIT)


def test_upload_holds_a_record_of_its_temporary_file(pool: Path) -> None:
    """A killed run is recognised by it."""
    upload = EntryFolder(pool, ENCODING).reserve(build_key(1), NO_LIMIT)
    (record,) = (pool / ".go-prefetch").glob("run-*")
    (temporary,) = (pool / ".go-prefetch" / "entries").glob("*.tmp")
    assert record.read_text().splitlines() == [temporary.relative_to(pool).as_posix()]
    upload.put_whole(b"content", NO_LIMIT)
    with recording(pool):
        assert not record.exists()
    assert leftovers(pool) == []
