"""An archive that is sent in blocks while it is written."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError, notice
from go_prefetch.stores.cache_service import block_upload
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.protocol import NotAllowed
from tests.support.waiting import wait_until

NEVER = Deadline()
CONTENT = bytes(range(256)) * 10


class Shelf:
    """Keeps the blocks of one entry. `open_` lets them in."""

    def __init__(self) -> None:
        self.blocks: dict[int, bytes] = {}
        self.entry: bytes | None = None
        self.open_ = threading.Event()
        self.open_.set()
        self.under_way = self.most_under_way = 0
        self.failing: int | None = None
        self.is_abandoned = False
        self._lock = threading.Lock()

    def put(self, number: int, offset: int, block: bytes, deadline: Deadline) -> None:
        with self._lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        assert self.open_.wait(60)
        with self._lock:
            self.under_way -= 1
        if number == self.failing:
            raise StoreError("store-refused", call="block", status=400)
        self.blocks[offset] = block

    def finish(self, blocks: int, size: int, deadline: Deadline) -> None:
        assert not deadline.passed()
        assert len(self.blocks) == blocks
        self.entry = b"".join(block for _, block in sorted(self.blocks.items()))
        assert len(self.entry) == size

    def put_whole(self, content: bytes, deadline: Deadline) -> None:
        assert not deadline.passed()
        self.entry = content

    def abandon(self) -> None:
        self.is_abandoned = True


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_upload, "_BLOCK", 100)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    yield (shelf := Shelf())
    shelf.open_.set()


@pytest.mark.parametrize("size", [1, 99, 100, 101, 200, 201, 2560])
@pytest.mark.parametrize("piece", [1, 70, 100, 1000])
def test_uploading_any_pieces_is_one_entry(shelf: Shelf, size: int, piece: int) -> None:
    sent: list[int] = []
    with uploading(lambda: shelf, NEVER, sent.append) as out:
        for at in range(0, size, piece):
            out.write(CONTENT[:size][at : at + piece])
    assert shelf.entry == CONTENT[:size]
    assert (out.size, sum(sent)) == (size, size)
    assert bool(shelf.blocks) == (size > 100)
    assert not shelf.is_abandoned


def test_uploading_slow_service_keeps_few_blocks(shelf: Shelf) -> None:
    shelf.open_.clear()
    with uploading(lambda: shelf, NEVER) as out:
        writing = run_in_background(lambda: out.write(CONTENT))
        wait_until(lambda: shelf.under_way == block_upload._AT_ONCE, "as many blocks as may be on their way")
        assert not writing.done()
        shelf.open_.set()
        writing.result()
    assert shelf.most_under_way == block_upload._AT_ONCE
    assert shelf.entry == CONTENT


def test_uploading_refused_key_ends_the_writing(shelf: Shelf) -> None:
    def refuse() -> Shelf:
        raise NotAllowed(notice("entry-taken"))

    def write_on() -> None:
        with uploading(refuse, NEVER) as out:
            while True:
                out.write(b"x")

    with pytest.raises(NotAllowed):
        write_on()
    assert not shelf.blocks


@pytest.mark.parametrize("number", [0, 1, 25])
def test_uploading_refused_block_makes_no_entry(shelf: Shelf, number: int) -> None:
    shelf.failing = number

    def upload() -> None:
        with uploading(lambda: shelf, NEVER) as out:
            out.write(CONTENT)

    with pytest.raises(StoreError):
        upload()
    assert (shelf.entry, shelf.is_abandoned) == (None, True)


@pytest.mark.parametrize("size", [50, 500])
def test_uploading_failed_writer_makes_no_entry(shelf: Shelf, size: int) -> None:
    def upload() -> None:
        with uploading(lambda: shelf, NEVER) as out:
            out.write(CONTENT[:size])
            raise OSError("the disk")

    with pytest.raises(OSError, match="the disk"):
        upload()
    wait_until(lambda: shelf.is_abandoned, "the end of an upload whose writer failed")
    assert shelf.entry is None


@pytest.mark.parametrize("size", [50, 500])
def test_uploading_no_time_left_makes_no_entry(shelf: Shelf, size: int) -> None:
    passed = Deadline.after(-1)
    shelf.open_.set()

    def upload() -> None:
        with uploading(lambda: shelf, passed) as out:
            out.write(CONTENT[:size])

    with pytest.raises(StoreError) as caught:
        upload()
    assert (caught.value.notice.slug, caught.value.notice.case) == ("store-slow", "upload")
    assert shelf.entry is None
