"""Two stores in one: who is asked for what, and who gets what. Two pools on the disk, or one that fails."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice, StoreError, notice
from go_prefetch.golang.modcache import Kind, ModuleFile, ModuleFolder, file_named
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cold_runs import Span, measured
from go_prefetch.model.ports import Announced, Arrived, Saving, Wanted, ignore_announcement
from go_prefetch.model.progress import Meter
from go_prefetch.model.results import Restored, Saved
from go_prefetch.stores.directory_pool import DirectoryPool
from go_prefetch.stores.pool_metadata import PoolMetadata
from go_prefetch.stores.tiered import TieredStore
from tests.support.fakes.modules import FakeModule, layout
from tests.support.service_shelf import KEY

A, B, C = (FakeModule(f"example.com/{name}", "v1.0.0") for name in "abc")
NO_LIMIT = Deadline()


def one_file(module: FakeModule, kind: Kind) -> ModuleFile:
    return ModuleFile(ModuleVersion(module.path, module.version), kind)


def files_of(*modules: FakeModule) -> frozenset[ModuleFile]:
    return frozenset(file for name in layout(modules) if (file := file_named(name)))


@dataclass
class Asked:
    """A store that notes what it is asked, and may be dead."""

    store: DirectoryPool
    is_dead: bool = False
    restores: list[Sequence[ModuleFile]] = field(default_factory=list)
    savings: list[Saving] = field(default_factory=list)
    may_not_save: Notice | None = None
    before: threading.Event | None = None  # what a restore waits for

    @property
    def name(self) -> str:
        return self.store.name

    @property
    def has_single_files(self) -> bool:
        return self.store.has_single_files

    @property
    def metadata(self) -> PoolMetadata:
        return self.store.metadata

    def restore(
        self, wanted: Wanted, deadline: Deadline, arrived: Arrived, announced: Announced = ignore_announcement
    ) -> Restored:
        self.restores.append(wanted.files)
        if self.before:
            assert self.before.wait(60)
        if self.is_dead:
            raise StoreError("store-unreachable", "call", call="get", words="connection refused")
        return self.store.restore(wanted, deadline, arrived, announced)

    def save(self, saving: Saving, deadline: Deadline, meter: Meter) -> Saved:
        self.savings.append(saving)
        if self.is_dead:
            raise StoreError("store-unreachable", "call", call="put", words="connection refused")
        if self.may_not_save:
            return Saved(skipped_reason=self.may_not_save)
        return self.store.save(saving, deadline, meter)


class Tiers:
    """A pool in front of another, and a module cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modcache = ModuleFolder.at(folder / "modules")
        self.front = Asked(DirectoryPool(folder / "front", proxies="", takes_files=True))
        self.behind = Asked(DirectoryPool(folder / "behind", proxies="", takes_files=True))
        self.store = TieredStore(self.front, self.behind)
        self.announcements: list[Restored] = []
        self.arrived: list[ModuleFile] = []

    def put(self, place: str, *modules: FakeModule) -> None:
        for name, data in layout(modules).items():
            path = self.folder / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def held(self, place: str) -> frozenset[ModuleFile]:
        root = self.folder / place
        names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return frozenset(file for name in names if (file := file_named(name)))

    def restore(self, *modules: FakeModule) -> Restored:
        wanted = Wanted(KEY, sorted(files_of(*modules)), self.modcache)
        return self.store.restore(wanted, NO_LIMIT, self.arrived.append, self.announcements.append)

    def save(self, *new: FakeModule, restored: Restored | None = None, **changed: object) -> Saved:
        """Save new modules, and those that were restored."""
        self.put("modules", *new)
        given = restored or Restored()
        saving = Saving(
            key=KEY, folder=self.modcache, files=sorted(files_of(*new)), restored=sorted(given.files), entry=None,
            rejected=frozenset(), unavailable=frozenset(), cold=None, behind=given.behind, owed=given.owed,
        )  # fmt: skip
        return self.store.save(replace(saving, **changed), NO_LIMIT, Meter(""))  # type: ignore[arg-type]


@pytest.fixture
def tiers(tmp_path: Path) -> Tiers:
    return Tiers(tmp_path)


def test_restore_asks_behind_only_for_what_the_front_lacks(tiers: Tiers) -> None:
    tiers.put("front", A)
    tiers.put("behind", A, B)
    restored = tiers.restore(A, B, C)
    assert restored.files == frozenset(tiers.arrived) == files_of(A, B)
    assert [frozenset(files) for files in tiers.behind.restores] == [files_of(B, C)]
    assert [(part.store, part.files) for part in restored.parts] == [
        (tiers.front.name, files_of(A)),
        (tiers.behind.name, files_of(B)),
    ]
    assert restored.bytes == sum(map(tiers.modcache.size_of, restored.files))


def test_restore_announces_once_what_both_will_bring(tiers: Tiers) -> None:
    tiers.put("front", A)
    tiers.put("behind", B)
    gone = one_file(C, "mod")
    PoolMetadata(tiers.folder / "behind", "").note_unavailable([gone])
    restored = tiers.restore(A, B, C)
    (announced,) = tiers.announcements
    assert (announced.files, announced.unavailable) == (files_of(A, B), frozenset({gone}))
    assert restored.unavailable == frozenset({gone})


def test_restore_of_what_the_front_has_asks_nothing_behind(tiers: Tiers) -> None:
    tiers.put("front", A)
    assert tiers.restore(A).files == files_of(A)
    assert tiers.behind.restores == []
    assert [announced.files for announced in tiers.announcements] == [files_of(A)]


def test_restore_from_the_front_does_not_wait_for_behind(tiers: Tiers) -> None:
    tiers.put("front", A)
    tiers.put("behind", B)
    tiers.behind.before = threading.Event()

    def arrived(file: ModuleFile) -> None:
        tiers.arrived.append(file)
        if files_of(A) == frozenset(tiers.arrived):
            assert tiers.behind.before
            tiers.behind.before.set()

    wanted = Wanted(KEY, sorted(files_of(A, B)), tiers.modcache)
    assert tiers.store.restore(wanted, NO_LIMIT, arrived).files == files_of(A, B)


def test_restore_takes_damaged_files_of_the_front_from_behind(tiers: Tiers) -> None:
    tiers.put("front", A)
    tiers.put("behind", A)
    zip_file = one_file(A, "zip")
    (tiers.folder / "front" / zip_file.name).write_bytes(b"half")
    restored = tiers.restore(A)
    assert restored.files == files_of(A)
    assert restored.behind == frozenset({zip_file})
    assert [warning.slug for warning in restored.warnings] == ["store-damaged"]
    tiers.save(restored=restored)
    assert (tiers.folder / "front" / zip_file.name).read_bytes() == layout([A])[zip_file.name]


@pytest.mark.parametrize(("dead", "lives"), [("behind", "front"), ("front", "behind")])
def test_restore_with_one_dead_store_brings_what_the_other_has(tiers: Tiers, dead: str, lives: str) -> None:
    tiers.put(lives, A)
    getattr(tiers, dead).is_dead = True
    restored = tiers.restore(A, B)
    assert restored.files == files_of(A)
    assert [warning.slug for warning in restored.warnings] == ["store-unreachable"]
    assert not restored.is_out_of_reach
    assert [announced.files for announced in tiers.announcements] == [files_of(A)]
    saved = tiers.save(B, restored=restored)
    assert tiers.held(lives) == files_of(A, B)
    assert saved.files == 3


def test_restore_with_two_dead_stores_is_out_of_reach(tiers: Tiers) -> None:
    tiers.front.is_dead = tiers.behind.is_dead = True
    restored = tiers.restore(A)
    assert restored.files == frozenset()
    assert restored.is_out_of_reach


def test_restore_does_not_ask_a_dead_store_behind_again(tiers: Tiers) -> None:
    tiers.behind.is_dead = True
    first = tiers.restore(A)
    assert first.plus(tiers.restore(B)).is_out_of_reach is False
    tiers.save(A)
    assert (len(tiers.behind.restores), tiers.behind.savings) == (1, [])


def test_restore_into_a_folder_that_is_full_ends(tiers: Tiers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module cache takes no files, which is no matter of the store."""

    def full(*_: object) -> Restored:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tiers.put("behind", B)
    for store in (tiers.front, tiers.behind):
        with monkeypatch.context() as patch:
            patch.setattr(store, "restore", full)
            with pytest.raises(OSError, match="No space"):
                tiers.restore(A, B)


def test_save_gives_the_front_what_came_from_behind(tiers: Tiers) -> None:
    tiers.put("behind", A)
    restored = tiers.restore(A)
    saved = tiers.save(restored=restored)
    assert tiers.held("front") == files_of(A)
    assert [saving.files for saving in tiers.behind.savings] == [[]]
    assert (saved.files, saved.skipped_reason) == (3, None)


def test_save_of_what_the_front_has_does_not_ask_behind(tiers: Tiers) -> None:
    tiers.put("front", A)
    tiers.save(restored=tiers.restore(A))
    assert tiers.behind.savings == []


def test_save_notes_in_the_front_what_downloads_had_taken(tiers: Tiers) -> None:
    """So the time saved is known on a machine that has downloaded nothing."""
    tiers.put("behind", A)
    restored = tiers.restore(A)
    run = measured({file.name: Span(0.0, 2.0, 100) for file in restored.files})
    tiers.save(restored=restored, runs=(run,))
    cold = tiers.restore(A).cold
    assert cold
    assert (cold.seconds, cold.modules) == (2.0, 1)


def test_save_gives_new_files_to_both(tiers: Tiers) -> None:
    tiers.put("front", A)
    saved = tiers.save(B, restored=tiers.restore(A))
    assert tiers.held("front") == files_of(A, B)
    assert tiers.held("behind") == files_of(B)
    assert (saved.files, saved.bytes) == (3, sum(len(data) for data in layout([B]).values()))


def test_save_with_a_full_front_reaches_the_store_behind(tiers: Tiers) -> None:
    (tiers.folder / "front").write_text("a file in place of the folder")
    saved = tiers.save(A)
    assert tiers.held("behind") == files_of(A)
    assert [warning.slug for warning in saved.warnings] == ["store-unwritable"]
    assert (saved.files, saved.skipped_reason) == (3, None)


def test_save_with_a_dead_store_behind_fills_the_front(tiers: Tiers) -> None:
    tiers.behind.is_dead = True
    saved = tiers.save(A)
    tiers.save(B)
    assert tiers.held("front") == files_of(A, B)
    assert [warning.slug for warning in saved.warnings] == ["store-unreachable"]
    assert len(tiers.behind.savings) == 1


def test_rejected_files_go_to_the_store_that_they_came_from(tiers: Tiers) -> None:
    tiers.put("front", A)
    tiers.put("behind", A, B)
    restored = tiers.restore(A, B)
    wrong = frozenset({one_file(A, "zip"), one_file(B, "zip")})
    tiers.save(restored=restored.only(restored.files - wrong), rejected=wrong, behind=restored.behind)
    assert tiers.held("front") == files_of(A, B) - wrong
    assert tiers.held("behind") == files_of(A, B) - {one_file(B, "zip")}


@pytest.mark.parametrize("reason", ["save-restricted", "dead"])
def test_what_behind_did_not_take_is_given_to_it_later(tiers: Tiers, reason: str) -> None:
    """By a job that finds everything in the front. Then it is owed no more."""
    tiers.behind.is_dead = reason == "dead"
    tiers.behind.may_not_save = notice("save-restricted", "branch")
    tiers.save(A, B)
    assert tiers.held("behind") == frozenset()

    tiers = Tiers(tiers.folder)
    tiers.put("behind", C)
    restored = tiers.restore(A, C)
    assert restored.owed == files_of(A)
    tiers.save(restored=restored)
    assert tiers.held("behind") == files_of(A, C)
    assert tiers.restore(A, B).owed == files_of(B)
    tiers.save(restored=tiers.restore(A, B))
    assert tiers.restore(A, B, C).owed == frozenset()
    assert list((tiers.folder / "front/.go-prefetch/owed").iterdir()) == []


def test_what_may_not_be_saved_at_all_is_not_owed(tiers: Tiers) -> None:
    tiers.behind.may_not_save = notice("save-disabled")
    tiers.save(A)
    assert tiers.restore(A).owed == frozenset()


@pytest.mark.parametrize("note", ["[]", '{"files": {"a": 1}}', '{"files": [1, "../../x", null]}', "", "\xff"])
def test_foreign_notes_of_what_is_owed_are_ignored(tiers: Tiers, note: str) -> None:
    tiers.put("front", A)
    owed = tiers.folder / "front/.go-prefetch/owed"
    owed.mkdir(parents=True)
    (owed / "x.json").write_text(note)
    assert tiers.restore(A).owed == frozenset()
    tiers.front.metadata.note_owed(files_of(A))
    assert tiers.restore(A).owed == files_of(A)
    tiers.front.metadata.settle(files_of(A))
    assert tiers.restore(A).owed == frozenset()
