"""A bucket in place of a cache service: what is found, saved, kept and refused. A bucket in memory."""

from __future__ import annotations

import os
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.model.build_lineage import parse_build_key
from go_prefetch.stores.cache_service import block_upload, entry_objects
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.entry_objects import entry_of, object_connection, object_name
from go_prefetch.stores.cache_service.protocol import NotAllowed
from go_prefetch.stores.objects.port import Trouble
from tests.support.build_entries import (
    ENCODING,
    LINEAGE,
    NO_LIMIT,
    OTHER_JOB,
    TOOLCHAIN,
    build_id,
    build_key,
    content_of,
)
from tests.support.fakes.memory_objects import MemoryObjects

HOUR = 3600.0


def name_of(key: str, encoding: str = ENCODING) -> str:
    entry = parse_build_key(key)
    assert entry
    return object_name(entry, encoding)


def save(bucket: MemoryObjects, key: str, content: bytes = b"content") -> None:
    service = object_connection(bucket, ENCODING).service
    with uploading(lambda: service.reserve(key, NO_LIMIT), NO_LIMIT) as out:
        out.write(content)


def found_key(bucket: MemoryObjects, *prefixes: str) -> str | None:
    found = object_connection(bucket, ENCODING).service.look_up(prefixes, NO_LIMIT)
    return found.key if found else None


def read(bucket: MemoryObjects, key: str, deadline: Deadline = NO_LIMIT) -> bytes:
    return content_of(object_connection(bucket, ENCODING), key, deadline)


def saved_numbers(bucket: MemoryObjects) -> list[int]:
    entries = [entry for name in bucket.objects if (entry := entry_of(name, ENCODING))]
    return sorted(int(entry.ids[0], 16) for entry in entries)


@pytest.fixture
def bucket() -> MemoryObjects:
    return MemoryObjects()


def test_entry_of_many_blocks_is_read_as_it_was_saved(bucket: MemoryObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_upload, "_BLOCK", 1000)
    content = os.urandom(333_333)
    save(bucket, build_key(1), content)
    assert read(bucket, build_key(1)) == content


def test_entry_without_bytes_is_read_as_it_was_saved(bucket: MemoryObjects) -> None:
    save(bucket, build_key(1), b"")
    assert read(bucket, build_key(1)) == b""


def test_entry_with_the_longest_key_is_found(bucket: MemoryObjects) -> None:
    """No name of an object may have more than 1,024 bytes, and no part of it more than 255 on some servers."""
    for number in range(15, -1, -1):
        key = build_key(*range(number, 16), run=f"{'9' * 20}.{'8' * 20}")
        save(bucket, key)
        bucket.now += 1
    assert found_key(bucket, LINEAGE) == key
    assert max(map(len, bucket.objects)) < 500
    assert max(len(part) for name in bucket.objects for part in name.split("/")) < 100


@given(
    numbers=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=16, unique=True),
    run=st.from_regex(r"[0-9]{1,20}\.[0-9]{1,20}", fullmatch=True),
    encoding=st.sampled_from(["zstd-1", "plain-1"]),
)
def test_key_of_a_name_is_that_of_the_entry(numbers: list[int], run: str, encoding: str) -> None:
    key = build_key(*numbers, run=run)
    entry = entry_of(name_of(key, encoding), encoding)
    assert entry is not None
    assert entry.key == key


@given(st.text(max_size=300) | st.from_regex(entry_objects._NAME, fullmatch=True))
def test_key_of_a_foreign_name_is_none_or_fits(name: str) -> None:
    entry = entry_of(name, "zstd-1")
    assert entry is None or object_name(entry, "zstd-1") == name


def test_look_up_takes_the_newest_of_the_first_prefix(bucket: MemoryObjects) -> None:
    for key in (build_key(1), build_key(2, 1), build_key(3, lineage=OTHER_JOB)):
        save(bucket, key)
        bucket.now += 1
    assert found_key(bucket, LINEAGE, TOOLCHAIN) == build_key(2, 1)
    assert found_key(bucket, TOOLCHAIN) == build_key(3, lineage=OTHER_JOB)
    assert found_key(bucket, f"{LINEAGE}{build_id(1)}") == build_key(1)
    assert found_key(bucket, f"{LINEAGE}{build_id(2)}.{build_id(1)}-7.1") == build_key(2, 1)
    assert found_key(bucket, f"{LINEAGE}{build_id(2)}-") is None
    assert found_key(bucket, f"{LINEAGE}{build_id(9)}", TOOLCHAIN) == build_key(3, lineage=OTHER_JOB)


def test_look_up_in_one_second_takes_the_longest_chain(bucket: MemoryObjects) -> None:
    for numbers in ((9,), (2, 9), (1, 2, 9)):
        save(bucket, build_key(*numbers))
    assert found_key(bucket, LINEAGE) == build_key(1, 2, 9)


@pytest.mark.parametrize("prefix", ["", "go-prefetch-build-1-", "go-prefetch-1-" + "0" * 16 + "-", "../", "\n"])
def test_look_up_never_lists_the_whole_bucket(bucket: MemoryObjects, prefix: str) -> None:
    save(bucket, build_key(1))
    bucket.listed.clear()
    assert found_key(bucket, prefix) is None
    assert bucket.listed == []


def test_look_up_of_a_chain_lists_once(bucket: MemoryObjects) -> None:
    for numbers in ((1,), (2, 1), (3, 2, 1)):
        save(bucket, build_key(*numbers))
        bucket.now += 1
    bucket.listed.clear()
    service = object_connection(bucket, ENCODING).service
    for prefix in (LINEAGE, f"{LINEAGE}{build_id(2)}", f"{LINEAGE}{build_id(1)}", f"{LINEAGE}{build_id(9)}"):
        service.look_up([prefix], NO_LIMIT)
    assert bucket.listed == [name_of(build_key(1)).partition(build_id(1))[0]]


def test_look_up_sees_one_encoding_only(bucket: MemoryObjects) -> None:
    save(bucket, build_key(1))
    assert object_connection(bucket, "plain-1").service.look_up([LINEAGE], NO_LIMIT) is None


def test_look_up_ignores_foreign_objects(bucket: MemoryObjects) -> None:
    save(bucket, build_key(1))
    (good,) = bucket.objects
    bucket.now += 1
    for name in (
        f"{good}.tmp",
        good.replace("7.1.", "x."),
        good.replace("/7.1", f"/{'A' * 16}/7.1"),
        good.replace("/7.1", "//7.1"),
        good.replace("/7.1", "/7.1/7.1"),
        good.rpartition("/")[0] + "/README",
    ):
        bucket.objects[name] = b"foreign", bucket.now  # fmt: skip
    assert found_key(bucket, LINEAGE) == build_key(1)


def test_look_up_of_too_many_entries_ends(bucket: MemoryObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_objects, "_MOST_ENTRIES", 3)
    for number in range(5):
        bucket.objects[name_of(build_key(number))] = b"", bucket.now + number
    assert found_key(bucket, LINEAGE) == build_key(2)


@pytest.mark.parametrize(
    ("trouble", "slug"),
    [
        (Trouble.DENIED, "store-denied"),
        (Trouble.UNREACHABLE, "store-unreachable"),
        (Trouble.LIMITED, "store-limited"),
        (Trouble.REFUSED, "store-unusable"),
    ],
)
def test_trouble_of_the_storage_is_a_store_error(bucket: MemoryObjects, trouble: Trouble, slug: str) -> None:
    save(bucket, build_key(1))
    bucket.troubles = {"get": trouble}
    with pytest.raises(StoreError) as raised:
        read(bucket, build_key(1))
    assert raised.value.slug == slug
    bucket.troubles = {"entries": trouble}
    with pytest.raises(StoreError) as raised:
        found_key(bucket, LINEAGE)
    assert raised.value.slug == slug
    bucket.troubles = {"put": trouble}
    with pytest.raises(StoreError) as raised:
        save(bucket, build_key(2, 1))
    assert raised.value.slug == slug


@pytest.mark.parametrize("damage", ["gone", "longer"])
def test_read_of_an_entry_that_went_is_a_store_error(bucket: MemoryObjects, damage: str) -> None:
    save(bucket, build_key(1))
    connection = object_connection(bucket, ENCODING)
    found = connection.service.look_up([LINEAGE], NO_LIMIT)
    assert found
    (name,) = bucket.objects
    bucket.objects = {name: (b"x" * 10_000, 0.0)} if damage == "longer" else {}
    with pytest.raises(StoreError) as raised, connection.open(found.url, lambda: "", NO_LIMIT, 1) as stream:
        stream.read(1)
    assert (raised.value.slug, raised.value.notice.case) == ("store-damaged", "gone")


def test_read_after_its_deadline_is_a_store_error(bucket: MemoryObjects) -> None:
    save(bucket, build_key(1))
    bucket.troubles = {}
    with pytest.raises(StoreError) as raised:
        read_slowly(bucket)
    assert raised.value.slug == "store-slow"


def read_slowly(bucket: MemoryObjects) -> None:
    """Read from a storage that sends nothing, with no time left."""
    connection, asked = object_connection(bucket, ENCODING), threading.Event()
    found = connection.service.look_up([LINEAGE], NO_LIMIT)
    assert found
    bucket.get = lambda *_: asked.wait() and 0  # type: ignore[method-assign]
    try:
        with connection.open(found.url, lambda: "", Deadline.after(0), 1) as stream:
            stream.read(1)
    finally:
        asked.set()


def test_reader_that_stops_ends_the_download(bucket: MemoryObjects) -> None:
    save(bucket, build_key(1), bytes(100_000))
    ended = threading.Event()
    get = bucket.get

    def noted(*arguments: object) -> int:
        try:
            return get(*arguments)  # type: ignore[arg-type]
        finally:
            ended.set()

    bucket.get = noted  # type: ignore[method-assign,assignment]
    connection = object_connection(bucket, ENCODING)
    found = connection.service.look_up([LINEAGE], NO_LIMIT)
    assert found
    with connection.open(found.url, lambda: "", NO_LIMIT, 1) as stream:
        assert stream.read(10) == bytes(10)
        assert not ended.is_set()
    assert ended.wait(60)


def test_save_of_a_key_that_is_there_is_not_allowed(bucket: MemoryObjects) -> None:
    save(bucket, build_key(1), b"first")
    with pytest.raises(NotAllowed) as refused:
        save(bucket, build_key(1), b"second")
    assert refused.value.notice.slug == "entry-taken"
    assert read(bucket, build_key(1)) == b"first"


def test_two_saves_of_one_key_at_once_keep_the_first(bucket: MemoryObjects) -> None:
    service = object_connection(bucket, ENCODING).service
    one, two = service.reserve(build_key(1), NO_LIMIT), service.reserve(build_key(1), NO_LIMIT)
    two.put_whole(b"two", NO_LIMIT)
    one.put(0, 0, b"one", NO_LIMIT)
    with pytest.raises(NotAllowed) as refused:
        one.finish(1, 3, NO_LIMIT)
    assert refused.value.notice.slug == "entry-taken"
    assert read(bucket, build_key(1)) == b"two"


def test_save_of_a_delta_without_its_base_is_not_allowed(bucket: MemoryObjects) -> None:
    """Before it is written, and when another job has removed the base meanwhile."""
    with pytest.raises(NotAllowed) as refused:
        save(bucket, build_key(2, 1))
    assert refused.value.notice.slug == "entry-base-gone"
    save(bucket, build_key(1))
    upload = object_connection(bucket, ENCODING).service.reserve(build_key(2, 1), NO_LIMIT)
    bucket.objects.clear()
    with pytest.raises(NotAllowed):
        upload.put_whole(b"delta", NO_LIMIT)
    assert bucket.objects == {}


def test_save_of_a_key_of_another_kind_is_not_allowed(bucket: MemoryObjects) -> None:
    with pytest.raises(NotAllowed):
        save(bucket, "../../etc/passwd")
    assert bucket.objects == {}


def test_save_after_its_deadline_is_a_store_error(bucket: MemoryObjects) -> None:
    upload = object_connection(bucket, ENCODING).service.reserve(build_key(1), NO_LIMIT)
    with pytest.raises(StoreError) as raised:
        upload.put(0, 0, b"block", Deadline.after(0))
    assert raised.value.slug == "store-slow"
    upload.abandon()


def test_save_keeps_the_two_newest_and_what_is_below(bucket: MemoryObjects) -> None:
    """Of its lineage. Other lineages are not even listed."""
    save(bucket, build_key(90, lineage=OTHER_JOB))
    bucket.listed.clear()
    for numbers in ((1,), (2, 1), (3, 2, 1), (4,), (5, 4)):
        bucket.now += 2 * HOUR
        save(bucket, build_key(*numbers))
    assert saved_numbers(bucket) == [4, 5, 90]
    bucket.now += 2 * HOUR
    save(bucket, build_key(6, 5, 4))
    assert saved_numbers(bucket) == [4, 5, 6, 90]
    assert set(bucket.listed) == {name_of(build_key(1)).partition(build_id(1))[0]}


def test_save_keeps_what_was_saved_within_the_hour(bucket: MemoryObjects) -> None:
    """Jobs that have restored it may add to it. The clock of the bucket counts."""
    for number in range(1, 6):
        save(bucket, build_key(number))
        bucket.now += 60
    assert saved_numbers(bucket) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("method", ["remove", "entries"])
def test_save_that_may_not_tidy_up_succeeds(bucket: MemoryObjects, method: str) -> None:
    service = object_connection(bucket, ENCODING).service
    for number in (1, 2, 3):
        bucket.now += 2 * HOUR
        upload = service.reserve(build_key(number), NO_LIMIT)
        bucket.troubles = {method: Trouble.DENIED}
        upload.put_whole(b"content", NO_LIMIT)
        bucket.troubles = {}
    assert saved_numbers(bucket) == [1, 2, 3]


def test_writers_at_once_leave_whole_chains(bucket: MemoryObjects) -> None:
    """Each adds to what it finds while the others do the same."""

    def write(first: int) -> None:
        for number in range(first, first + 20):
            found = found_key(bucket, LINEAGE)
            below = [int(one, 16) for one in found[len(LINEAGE) :].split("-")[0].split(".")] if found else []
            bucket.now += HOUR / 2
            with suppress(NotAllowed):
                save(bucket, build_key(number, *(below if len(below) < 5 else [])))

    threads = [threading.Thread(target=write, args=(first,)) for first in (100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = parse_build_key(found_key(bucket, LINEAGE) or "")
    assert newest
    assert {int(one, 16) for one in newest.ids} <= set(saved_numbers(bucket))
