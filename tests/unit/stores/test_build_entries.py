"""Entries of build results that are damaged, or that somebody made who means harm."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from go_prefetch.base.programs import find_program
from go_prefetch.base.retry import Deadline
from go_prefetch.model.build_lineage import new_key
from go_prefetch.stores.cache_service.archive import Outgoing, write_members
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.compression import PLAIN, Encoding, best_encoding, by_program
from go_prefetch.stores.cache_service.entry_folder import folder_connection
from tests.support.build_shelf import LINEAGE, BuildShelf, action_line, contents_of, digest, files_of, put, use

Members = Sequence[tuple[str, bytes]]
GOOD = b"output of good"
PROGRAM = find_program("zstd", os.environ.get("PATH", os.defpath))
ENCODINGS = [
    pytest.param(best_encoding({"PATH": ""}), id="module"),
    pytest.param(
        by_program(PROGRAM or "zstd", os.environ), id="program",
        marks=pytest.mark.skipif(PROGRAM is None, reason="there is no zstd"),
    ),
]  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> BuildShelf:
    return BuildShelf(tmp_path)


def name_of(content: bytes) -> str:
    """Return the path of an output in GOCACHE."""
    return f"{digest(content)[:2]}/{digest(content)}-d"


def line(name: str, content: bytes, size: int | None = None) -> bytes:
    """Return an action for this output."""
    return action_line(digest(name), digest(content), len(content) if size is None else size)


def plant(shelf: BuildShelf, members: Members) -> None:
    """Save an entry with these files, whatever they are."""
    service = folder_connection(shelf.pool, PLAIN.name).service
    key = new_key(LINEAGE.own, [repr(members)], (), "1.1")
    outgoing = [Outgoing(name, len(data), lambda out, data=data: out.write(data)) for name, data in members]  # type: ignore[misc]
    deadline = Deadline.after(30)
    with uploading(lambda: service.reserve(key, deadline), deadline) as out:
        write_members(out, outgoing, PLAIN)


ACTIONS = line("good", GOOD)


@pytest.mark.parametrize(
    "members",
    [
        [],
        [(name_of(GOOD), GOOD)],
        [(name_of(GOOD), GOOD), ("actions", ACTIONS)],
        [("actions", ACTIONS[:-1]), (name_of(GOOD), GOOD)],
        [("actions", ACTIONS + ACTIONS), (name_of(GOOD), GOOD)],
        [("actions", line("one", GOOD) + line("two", GOOD, 5)), (name_of(GOOD), GOOD)],
        [("actions", ACTIONS), (name_of(GOOD), GOOD), (f"{name_of(GOOD)}/tool", GOOD)],
        *([("actions", ACTIONS), (name_of(GOOD), GOOD), (bad, b"bad")] for bad in (
            "../evil", "/etc/evil", "trim.txt", "fuzz/x", "README", "testexpire.txt", f"{name_of(GOOD)}/..",
            f"{name_of(GOOD)}/a/b", f"00/{digest('x')}-a", f"{digest('x')[:2]}/{digest('x')}-a", "a\0b", "x" * 5000,
        )),
    ],
)  # fmt: skip
def test_an_entry_of_another_form_brings_nothing(shelf: BuildShelf, members: Members) -> None:
    plant(shelf, members)
    restored = shelf.begin()
    assert files_of(shelf.gocache) == {}
    assert [warning.slug for warning in restored.warnings] == ["store-damaged"]
    assert not (shelf.folder / "evil").exists()
    put(shelf.gocache, "new", b"new")
    assert shelf.end().is_full


def test_an_output_of_another_size_than_its_action_is_dropped(shelf: BuildShelf) -> None:
    wrong = b"wrong"
    plant(shelf, [("actions", ACTIONS + line("bad", wrong, 9)), (name_of(wrong), wrong), (name_of(GOOD), GOOD)])
    restored = shelf.begin()
    assert set(contents_of(shelf.gocache).actions) == {digest("good")}
    assert name_of(wrong) not in files_of(shelf.gocache)
    assert [(warning.slug, warning.case) for warning in restored.warnings] == [("store-damaged", "outputs")]


def test_an_output_that_no_action_names_is_dropped(shelf: BuildShelf) -> None:
    plant(shelf, [("actions", ACTIONS), (name_of(b"x"), b"x"), (name_of(GOOD), GOOD)])
    shelf.begin()
    assert name_of(b"x") not in files_of(shelf.gocache)
    assert set(contents_of(shelf.gocache).actions) == {digest("good")}


def test_an_action_without_its_output_is_dropped(shelf: BuildShelf) -> None:
    plant(shelf, [("actions", ACTIONS + line("lone", b"nowhere")), (name_of(GOOD), GOOD)])
    shelf.begin()
    assert set(contents_of(shelf.gocache).actions) == {digest("good")}


def test_swapped_outputs_of_one_size_go_unnoticed(shelf: BuildShelf) -> None:
    """Go does not hash outputs again when it uses them. docs/build-cache.md says so."""
    one, two = b"output 1", b"output 2"
    plant(shelf, [("actions", line("a", one) + line("b", two)), (name_of(one), two), (name_of(two), one)])
    assert shelf.begin().warnings == ()
    assert files_of(shelf.gocache)[name_of(one)] == two


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_changed_bit_of_an_entry_brings_no_action(tmp_path: Path, encoding: Encoding) -> None:
    """Outputs that do not compress are stored as they are. The checksum is at the end, when they have their names."""
    shelf, chance = BuildShelf(tmp_path, encoding), random.Random(1)
    shelf.begin()
    for name in "abc":
        put(shelf.gocache, name, chance.randbytes(50_000))
    shelf.end()
    (entry,) = shelf.entries()
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 1
    entry.write_bytes(data)
    restored = shelf.begin()
    assert [warning.slug for warning in restored.warnings] == ["store-damaged"]
    assert not list(shelf.gocache.rglob("*-a"))
    put(shelf.gocache, "new", b"new")
    assert shelf.end().is_full


def test_links_in_gocache_are_not_followed(shelf: BuildShelf) -> None:
    plant(shelf, [("actions", ACTIONS), (name_of(GOOD), GOOD)])
    shelf.jobs += 1
    shelf.gocache.mkdir()
    outside = shelf.folder / "outside"
    outside.mkdir()
    (shelf.gocache / name_of(GOOD)[:2]).symlink_to(outside)
    restored = shelf.begin(empty=False)
    assert list(outside.iterdir()) == []
    assert [warning.slug for warning in restored.warnings] == ["build-cache-unwritable"]


@pytest.mark.parametrize("seed", range(25))
def test_a_changed_entry_never_brings_a_wrong_action(shelf: BuildShelf, seed: int) -> None:
    """Truncated, and with bytes changed anywhere: what is there is whole, and names an output of its size."""
    chance = random.Random(seed)
    shelf.begin()
    for name in "abcdef":
        put(shelf.gocache, name, name.encode() * chance.randint(1, 3000))
    shelf.end()
    right = files_of(shelf.gocache)
    (entry,) = shelf.entries()
    data = bytearray(entry.read_bytes())
    start = data.index(b"\n") + 1
    if chance.random() < 0.5:
        del data[chance.randrange(start, len(data)) :]
    for _ in range(chance.randint(0, 3)):
        data[chance.randrange(start, len(data))] = chance.randrange(256) if len(data) > start else 0
    entry.write_bytes(data)
    shelf.begin()
    for action in contents_of(shelf.gocache).actions.values():
        assert action.size == (shelf.gocache / action.output[:2] / f"{action.output}-d").stat().st_size
    there = files_of(shelf.gocache)
    assert {name: len(content) for name, content in there.items() if name.endswith("-d")}.items() <= {
        name: len(content) for name, content in right.items()
    }.items()
    use(shelf.gocache)
    put(shelf.gocache, "new", b"new")
    assert shelf.end().key
