"""Entries of build results that are damaged, or that somebody made who means harm."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.stores.cache_service import build_store
from go_prefetch.stores.cache_service.compression import Encoding
from tests.support.build_shelf import (
    LINEAGE,
    BuildShelf,
    Members,
    action_line,
    contents_of,
    digest,
    files_of,
    name_of,
    plant,
    put,
    use,
)
from tests.support.zstd_encodings import MODULE, NEEDS_PROGRAM, WITH_PROGRAM

GOOD = b"output of good"
ENCODINGS = [
    pytest.param(MODULE, id="module"),
    pytest.param(WITH_PROGRAM, id="program", marks=NEEDS_PROGRAM),
]


@pytest.fixture
def shelf(tmp_path: Path) -> BuildShelf:
    return BuildShelf(tmp_path)


def line(name: str, content: bytes, size: int | None = None) -> bytes:
    """Return an action for this output."""
    return action_line(digest(name), digest(content), len(content) if size is None else size)


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


def test_an_output_that_is_right_is_not_replaced(shelf: BuildShelf) -> None:
    """Although an entry has another one under its name."""
    wrong = GOOD + b" and more"
    plant(shelf, [("actions", line("other", GOOD, len(wrong))), (name_of(GOOD), wrong)])
    shelf.jobs += 1
    put(shelf.gocache, "good", GOOD)
    before = files_of(shelf.gocache)
    restored = shelf.begin(empty=False)
    assert files_of(shelf.gocache) == before
    assert [(warning.slug, warning.case) for warning in restored.warnings] == [("store-damaged", "outputs")]


@pytest.mark.parametrize("is_there", [False, True])
def test_two_entries_give_an_output_one_size(shelf: BuildShelf, is_there: bool) -> None:
    """Whichever comes first: each action has its output."""
    wrong = GOOD + b" and more"
    full = plant(shelf, [("actions", ACTIONS), (name_of(GOOD), GOOD)])
    plant(shelf, [("actions", line("other", GOOD, len(wrong))), (name_of(GOOD), wrong)], below=[full])
    shelf.jobs += 1
    if is_there:
        output = shelf.gocache / name_of(GOOD)
        output.parent.mkdir(parents=True)
        output.write_bytes(GOOD)
    shelf.begin(empty=False)
    actions = [name for name in files_of(shelf.gocache) if name.endswith("-a")]
    assert len(actions) == len(contents_of(shelf.gocache).actions) == 1


@pytest.mark.parametrize(
    ("there", "executable"), [("file", "tool"), ("other", "tool"), ("other", "")], ids=["file", "two files", "folder"]
)
def test_an_output_of_another_kind_is_left(shelf: BuildShelf, there: str, executable: str) -> None:
    """The rest of the entry comes. Go takes no executable from a folder with two files."""
    tool = b"the tool"
    path = name_of(tool) + (f"/{executable}" if executable else "")
    plant(shelf, [("actions", ACTIONS + line("tool", tool)), (path, tool), (name_of(GOOD), GOOD)])
    shelf.jobs += 1
    place = shelf.gocache / name_of(tool) / ("" if there == "file" else there)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"x")
    shelf.begin(empty=False)
    assert place.read_bytes() == b"x"
    assert set(contents_of(shelf.gocache).actions) == {digest("good")}
    assert len(files_of(shelf.gocache)) == 3


def test_an_executable_comes_alone_into_its_folder(shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go takes any file there for the executable, also one that a killed restore has left."""
    tool = b"the tool"
    plant(shelf, [("actions", line("tool", tool)), (f"{name_of(tool)}/tool", tool)])
    seen = []

    def replace(path: Path, target: Path) -> None:
        seen.extend([path.parent.name, target.name])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    shelf.begin()
    assert seen == [digest(tool)[:2], "tool"]


@pytest.mark.parametrize("members", [3000, 30])
def test_room_is_that_of_the_disk_for_all_entries(
    shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch, members: int
) -> None:
    """The smallest file takes a block, and entries come at the same time."""
    contents = [str(number).encode() for number in range(members)]
    actions = b"".join(line(f"action of {content!r}", content) for content in contents)
    plant(shelf, [("actions", actions), *((name_of(content), content) for content in contents)])
    monkeypatch.setattr("go_prefetch.stores.cache_service.build_archive.free_bytes", lambda _: (256 + 20) << 20)
    restored = shelf.begin()
    assert [warning.slug for warning in restored.warnings] == (["store-no-room"] if members == 3000 else [])


def test_actions_without_end_end_with_the_deadline(shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a file, and one output is enough for all of them."""
    actions = b"".join(line(f"action {number}", GOOD) for number in range(500))
    plant(shelf, [("actions", actions), (name_of(GOOD), GOOD)])
    deadline = Deadline.after(60)
    replace = Path.replace

    def cancelling(path: Path, target: Path) -> Path:
        deadline.cancel()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", cancelling)
    shelf.jobs += 1
    restored = shelf.store().restore(shelf.gocache, shelf.old, LINEAGE, 1e9, deadline)
    assert restored.gave_up
    assert list(files_of(shelf.gocache)) == [name_of(GOOD)]


def test_a_failed_restore_has_ended_in_all_threads(shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    full = plant(shelf, [("actions", ACTIONS), (name_of(GOOD), GOOD)])
    lone = b"lone"
    plant(shelf, [("actions", line("lone", lone)), (name_of(lone), lone)], below=[full])
    failed = threading.Event()
    replace = Path.replace

    def failing(path: Path, target: Path) -> Path:
        if target.name == Path(name_of(lone)).name:
            failed.set()
            raise OSError(28, "No space left on device")
        assert failed.wait(30)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", failing)
    restored = shelf.begin()
    assert [warning.slug for warning in restored.warnings] == ["build-cache-unwritable"]
    assert set(contents_of(shelf.gocache).actions) == {digest("good")}


def test_an_interrupted_restore_writes_nothing_any_more(shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program ends soon afterwards, and a file that is begun then would stay."""
    contents = [str(number).encode() for number in range(500)]
    actions = b"".join(line(f"action of {content!r}", content) for content in contents)
    plant(shelf, [("actions", actions), *((name_of(content), content) for content in contents)])
    begun, ended, late = threading.Event(), threading.Event(), []
    replace = Path.replace

    def noting(path: Path, target: Path) -> Path:
        begun.set()
        if ended.is_set():
            late.append(target)
        return replace(path, target)

    def interrupted(_: object) -> None:
        assert begun.wait(30)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", noting)
    monkeypatch.setattr(build_store, "wait_for_all", interrupted)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        shelf.begin()
    ended.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
    assert late == []
    assert not list(shelf.gocache.rglob("*.tmp"))


def test_an_output_without_an_action_is_replaced(shelf: BuildShelf) -> None:
    """A restore leaves the outputs of a damaged entry, and removes their actions."""
    plant(shelf, [("actions", ACTIONS), (name_of(GOOD), GOOD)])
    shelf.jobs += 1
    output = shelf.gocache / name_of(GOOD)
    output.parent.mkdir(parents=True)
    output.write_bytes(GOOD[::-1])
    shelf.begin(empty=False)
    assert output.read_bytes() == GOOD
    assert set(contents_of(shelf.gocache).actions) == {digest("good")}


def test_an_action_without_its_output_is_replaced(shelf: BuildShelf) -> None:
    plant(shelf, [("actions", ACTIONS), (name_of(GOOD), GOOD)])
    shelf.jobs += 1
    _, output = put(shelf.gocache, "good", b"another output")
    output.unlink()
    shelf.begin(empty=False)
    assert contents_of(shelf.gocache).actions[digest("good")].output == digest(GOOD)
