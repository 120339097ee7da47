"""A pool in a bucket: what its objects are, and what goes. A bucket in memory."""

from __future__ import annotations

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.prune.bucket import list_bucket, remove_from_bucket
from go_prefetch.prune.pool import ItemKind, PoolItem
from go_prefetch.stores.objects.port import ObjectError, Trouble
from tests.support.build_entries import LINEAGE
from tests.support.fakes.memory_objects import MemoryObjects

NO_LIMIT = Deadline()
ENTRIES = ".go-prefetch/entries/go-prefetch-build-1"
A, B = "0" * 15 + "a", "0" * 15 + "b"
KEY = f"go-prefetch-1-{'0' * 16}-{'a' * 64}"
OURS = {
    "example.com/!upper/@v/v1.0.0.zip": ("example.com/Upper@v1.0.0", ItemKind.MODULE),
    "example.com/!upper/@v/v1.0.0.mod": ("example.com/Upper@v1.0.0", ItemKind.MODULE),
    ".go-prefetch/repacked/example.com/!upper/@v/v1.0.0.zip.zstd-1": ("example.com/Upper@v1.0.0", ItemKind.MODULE),
    "example.com/other/@v/v1.0.0.info": ("example.com/other@v1.0.0", ItemKind.MODULE),
    f"{ENTRIES}/{'1' * 16}/{'2' * 16}/{A}/7.1.zstd-1": (LINEAGE.rstrip("-"), ItemKind.BUILD_CACHE),
    f"{ENTRIES}/{'1' * 16}/{'2' * 16}/{B}/{A}/8.1.plain-1": (LINEAGE.rstrip("-"), ItemKind.BUILD_CACHE),
    f".go-prefetch/bundles/{KEY}.zstd-1": (f".go-prefetch/bundles/{KEY}.zstd-1", ItemKind.BUNDLE),
    f".go-prefetch/notes/{KEY}.json": (f".go-prefetch/notes/{KEY}.json", ItemKind.BUNDLE),
}
FOREIGN = (
    "README", "example.com/Upper/@v/v1.0.0.zip", "example.com/!upper/@v/list", "example.com/../x/@v/v1.0.0.zip",
    f"{ENTRIES}/{'1' * 16}/x", ".go-prefetch/bundles/../../x.zstd-1", ".go-prefetch/other/x.json", "",
    ".go-prefetch/repacked/example.com/!upper/@v/v1.0.0.mod.zstd-1", ".go-prefetch/repacked/x.zip.zstd-1",
)  # fmt: skip


@pytest.fixture
def bucket() -> MemoryObjects:
    storage = MemoryObjects()
    for number, name in enumerate((*OURS, *FOREIGN)):
        storage.objects[name] = bytes(number), storage.now + number
    return storage


def items(bucket: MemoryObjects) -> dict[str, PoolItem]:
    return {one.title: one for one in list_bucket(bucket, NO_LIMIT)}


def test_bucket_is_listed_by_what_its_objects_belong_to(bucket: MemoryObjects) -> None:
    """An item is as old as its newest object."""
    found = items(bucket)
    assert {(one.title, one.kind) for one in found.values()} == set(OURS.values())
    assert (found["example.com/Upper@v1.0.0"].used, found["example.com/Upper@v1.0.0"].bytes) == (bucket.now + 2, 3)
    assert len(found[LINEAGE.rstrip("-")].names) == 2


def test_removal_takes_the_items_and_nothing_else(bucket: MemoryObjects) -> None:
    counts: list[int] = []
    found = items(bucket)
    remove_from_bucket(bucket, [found["example.com/Upper@v1.0.0"], found[LINEAGE.rstrip("-")]], NO_LIMIT, counts.append)
    assert counts[-1] == 2
    assert set(items(bucket)) == {title for title, _ in OURS.values()} - {"example.com/Upper@v1.0.0", LINEAGE[:-1]}
    assert set(FOREIGN) <= bucket.objects.keys()


def test_removal_that_is_denied_ends(bucket: MemoryObjects) -> None:
    bucket.troubles["remove"] = Trouble.DENIED
    with pytest.raises(ObjectError):
        remove_from_bucket(bucket, items(bucket).values(), NO_LIMIT, lambda _: None)
