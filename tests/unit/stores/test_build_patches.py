"""Deltas of outputs that changed a little: small, the same when they come back, and harmless if something is wrong."""

from __future__ import annotations

import io
import itertools
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base.retry import Deadline
from go_prefetch.buildcache.intake import BuildIntake
from go_prefetch.errors import notice
from go_prefetch.golang.build_cache import Output, OutputName
from go_prefetch.stores.cache_service.archive import write_members
from go_prefetch.stores.cache_service.build_patches import Old, pairs, patches, read_patch
from go_prefetch.stores.cache_service.compression import PLAIN, Encoding, by_program
from tests.support.build_shelf import (
    DAY,
    LINEAGE,
    BuildShelf,
    Members,
    action_line,
    contents_of,
    digest,
    files_of,
    name_of,
    outgoing,
    plant,
    put,
    use,
)
from tests.support.zstd_encodings import MODULE, NEEDS_PROGRAM, PROGRAM, WITH_PROGRAM

ENCODINGS = [
    pytest.param(MODULE, MODULE, id="module"),
    pytest.param(WITH_PROGRAM, WITH_PROGRAM, id="program", marks=NEEDS_PROGRAM),
    pytest.param(MODULE, WITH_PROGRAM, id="module-program", marks=NEEDS_PROGRAM),
    pytest.param(WITH_PROGRAM, MODULE, id="program-module", marks=NEEDS_PROGRAM),
]
SIZE = 200_000
KEPT = random.Random(1).randbytes(2 * SIZE)
FIRST = random.Random(2).randbytes(SIZE)


def changed(content: bytes, number: int) -> bytes:
    """Return another version of an output: some bytes differ, and it is a little longer."""
    middle = f"version {number}".encode()
    return content[:1000] + middle + content[1000 + number :]


@pytest.fixture
def shelf(tmp_path: Path) -> BuildShelf:
    return BuildShelf(tmp_path, MODULE)


def saved_once(shelf: BuildShelf) -> None:
    """Let a job make `kept` and `first`, and save them."""
    shelf.begin()
    put(shelf.gocache, "kept", KEPT)
    put(shelf.gocache, "first", FIRST)
    assert shelf.end().is_full


def job(shelf: BuildShelf, name: str, content: bytes, *, succeeded: bool = True) -> int:
    """Let a job use `kept`, and make this in place of what the last job made. Return the bytes of its delta."""
    shelf.begin()
    use(shelf.gocache, "kept")
    put(shelf.gocache, name, content)
    saved = shelf.end(succeeded=succeeded)
    assert saved.key
    assert not saved.is_full
    return saved.bytes


def next_job_has_no_folder(shelf: BuildShelf) -> None:
    """Let the next job be unable to keep replaced outputs."""
    (shelf.folder / f"old{shelf.jobs + 1}").write_text("no folder")


def next_job_has_a_damaged_output(shelf: BuildShelf) -> None:
    """Let the next job begin on a machine whose GOCACHE has `first`, with other bytes of the same number."""
    shelf.jobs += 1
    shelf.gocache.mkdir()
    _, output = put(shelf.gocache, "first", FIRST)
    output.write_bytes(bytes(SIZE))


def names(shelf: BuildShelf) -> set[str]:
    """Return the ids of the actions in GOCACHE."""
    return set(contents_of(shelf.gocache).actions)


@pytest.mark.parametrize(("writes", "reads"), ENCODINGS)
def test_changed_output_takes_few_bytes_and_comes_back(tmp_path: Path, writes: Encoding, reads: Encoding) -> None:
    shelf = BuildShelf(tmp_path, writes)
    saved_once(shelf)
    for number in range(1, 5):
        assert job(shelf, f"version {number}", changed(FIRST, number)) < 3000
    before = files_of(shelf.gocache)
    shelf.encoding = reads
    restored = shelf.begin()
    assert restored.warnings == ()
    assert names(shelf) == {digest("kept"), digest("version 4")}
    assert files_of(shelf.gocache).items() <= before.items()
    assert restored.unpacked_bytes == sum(map(len, files_of(shelf.gocache).values()))


def test_each_patch_is_made_from_an_output_that_is_in_none(shelf: BuildShelf) -> None:
    """Otherwise a restore would unpack each version that there has been."""
    saved_once(shelf)
    for number in range(1, 4):
        job(shelf, f"version {number}", changed(FIRST, number))
    base = shelf.begin().base
    assert dict(base.made_from) == {digest(changed(FIRST, 3)): digest(FIRST)}
    assert base.replaced.keys() == {digest(content) for content in (FIRST, changed(FIRST, 1), changed(FIRST, 2))}


def test_an_output_that_was_replaced_stays_out_of_gocache(shelf: BuildShelf) -> None:
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    shelf.begin()
    assert digest(FIRST) not in {path.name[:64] for path in shelf.gocache.rglob("*")}
    assert [path.read_bytes() for path in shelf.old.iterdir()] == [FIRST]
    assert not list(shelf.gocache.glob("go-prefetch*"))


def test_an_output_that_returns_is_not_stored_again(shelf: BuildShelf) -> None:
    """As after a change that was taken back."""
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    assert job(shelf, "first", FIRST) < 1000
    shelf.begin()
    assert names(shelf) == {digest("kept"), digest("first")}
    assert files_of(shelf.gocache)[f"{digest(FIRST)[:2]}/{digest(FIRST)}-d"] == FIRST


@pytest.mark.parametrize("order", ["121122112", "1212121212", "12312321"])
def test_changes_that_are_taken_back_again_and_again(tmp_path: Path, order: str) -> None:
    """Each job that finds nothing changed compiles nothing, whichever version came before."""
    shelf = BuildShelf(tmp_path, MODULE)
    shelf.begin()
    put(shelf.gocache, "kept", KEPT * 5)
    put(shelf.gocache, "version 0", FIRST)
    shelf.end()
    before = "0"
    for version in order:
        restored = shelf.begin()
        assert names(shelf) == {digest("kept"), digest(f"version {before}")}
        assert restored.warnings == ()
        use(shelf.gocache, "kept")
        if version == before:
            use(shelf.gocache, f"version {version}")
        else:
            put(shelf.gocache, f"version {version}", changed(FIRST, int(version)))
        saved = shelf.end()
        assert bool(saved.key) == (version != before)
        before = version


def test_kept_machine_brings_back_nothing_replaced(shelf: BuildShelf) -> None:
    """What it used in the last hour counts as used, but not if another job has replaced it."""
    saved_once(shelf)
    kept, first_jobs = shelf.gocache, shelf.jobs
    shelf.jobs += 1
    job(shelf, "version 1", changed(FIRST, 1))
    fresh_jobs, shelf.jobs = shelf.jobs, first_jobs
    assert shelf.gocache == kept
    put(shelf.gocache, "first", FIRST, age=600)
    shelf.begin(empty=False)
    use(shelf.gocache, "kept", "version 1")
    assert shelf.end().skipped_reason
    shelf.jobs = fresh_jobs
    shelf.begin()
    assert names(shelf) == {digest("kept"), digest("version 1")}


def test_kept_machine_makes_patches_too(shelf: BuildShelf) -> None:
    """One job a day. The original of each patch is in its GOCACHE, and not in the folder for replaced outputs."""
    saved_once(shelf)
    for number in range(1, 5):
        for path in shelf.gocache.rglob("*-a"):
            os.utime(path, (time.time() - DAY,) * 2)
        shelf.begin(empty=False)
        use(shelf.gocache, "kept")
        put(shelf.gocache, f"version {number}", changed(FIRST, number))
        assert shelf.end().bytes < 3000


def test_clock_of_a_disk_may_be_behind(shelf: BuildShelf) -> None:
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    shelf.begin()
    use(shelf.gocache, "kept")
    put(shelf.gocache, "first", FIRST, age=2)
    assert shelf.end().key
    shelf.begin()
    assert names(shelf) == {digest("kept"), digest("first")}


def test_failed_job_after_half_a_restore_saves_nothing(shelf: BuildShelf) -> None:
    """Otherwise later jobs would restore only what this one had."""
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    next_job_has_no_folder(shelf)
    shelf.begin()
    put(shelf.gocache, "small", b"small")
    assert shelf.end(succeeded=False).skipped_reason == notice("nothing-to-save", "incomplete")
    shelf.begin()
    assert names(shelf) == {digest("kept"), digest("version 1")}


def test_many_replaced_outputs_are_no_reason_to_refuse_an_entry(
    shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entry of a chain lists them all. Only the list of the newest counts."""
    monkeypatch.setattr("go_prefetch.stores.cache_service.build_archive._MOST_FILES", 900)
    shelf.begin()
    put(shelf.gocache, "kept", KEPT)
    versions = [{f"{name} {version}": b"%d %d " % (name, version) * 100 for name in range(30)} for version in range(8)]
    for name, content in versions[0].items():
        put(shelf.gocache, name, content)
    shelf.end()
    for version in versions[1:]:
        assert shelf.begin().warnings == ()
        use(shelf.gocache, "kept")
        for name, content in version.items():
            put(shelf.gocache, name, content)
        assert not shelf.end().is_full
    assert shelf.begin().warnings == ()
    assert names(shelf) == {digest("kept"), *map(digest, versions[-1])}


def test_dangling_action_gets_no_unchecked_output(shelf: BuildShelf) -> None:
    """Go trims outputs and keeps actions. One that is there would take what a patch brings, before its checksum."""
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    next_job_has_a_damaged_output(shelf)
    _, trimmed = put(shelf.gocache, "version 1", changed(FIRST, 1))
    trimmed.unlink()
    assert [warning.slug for warning in shelf.begin(empty=False).warnings] == ["store-damaged"]
    assert not trimmed.exists()


def test_folder_for_old_outputs_leaves_room_on_its_disk(shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    monkeypatch.setattr("go_prefetch.buildcache.intake.free_bytes", lambda _: 256 << 20)
    restored = shelf.begin()
    assert (restored.warnings, restored.base.ids) == ((), ())
    assert list(shelf.old.iterdir()) == []


def test_gocache_that_cannot_be_searched_is_a_warning(shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_once(shelf)

    def failing(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("go_prefetch.stores.cache_service.build_store.clear_temporary", failing)
    assert [warning.slug for warning in shelf.begin().warnings] == ["build-cache-unwritable"]


def test_job_that_failed_replaces_nothing(shelf: BuildShelf) -> None:
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1), succeeded=False)
    shelf.begin()
    assert names(shelf) == {digest(name) for name in ("kept", "first", "version 1")}


def test_unused_output_without_a_successor_stays(shelf: BuildShelf) -> None:
    """Some jobs do less than others, and succeed too."""
    saved_once(shelf)
    job(shelf, "small", b"of another size")
    shelf.begin()
    assert digest("first") in names(shelf)


def test_without_zstd_a_similar_output_is_replaced_too(tmp_path: Path) -> None:
    shelf = BuildShelf(tmp_path, PLAIN)
    shelf.begin()
    put(shelf.gocache, "kept", KEPT * 2)
    put(shelf.gocache, "first", FIRST)
    shelf.end()
    assert job(shelf, "version 1", changed(FIRST, 1)) > SIZE
    shelf.begin()
    assert names(shelf) == {digest("kept"), digest("version 1")}


def test_executable_comes_back_from_a_patch(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.begin()
    use(shelf.gocache, "kept")
    put(shelf.gocache, "tool", changed(FIRST, 1), executable="tool")
    assert shelf.end().bytes < 3000
    shelf.begin()
    content = changed(FIRST, 1)
    tool = shelf.gocache / digest(content)[:2] / f"{digest(content)}-d" / "tool"
    assert tool.read_bytes() == content
    assert sys.platform == "win32" or os.access(tool, os.X_OK)


def test_many_patches_lead_to_a_full_entry(shelf: BuildShelf) -> None:
    """Once they take about what a full entry takes."""
    saved_once(shelf)
    chance, kinds = random.Random(3), []
    for number in range(6):
        shelf.begin()
        use(shelf.gocache, "kept")
        put(shelf.gocache, f"version {number}", FIRST[: SIZE // 4] + chance.randbytes(SIZE * 3 // 4))
        kinds.append(shelf.end().is_full)
    assert kinds == [False, True] * 3


def test_old_output_with_other_bytes_brings_no_action(shelf: BuildShelf) -> None:
    """A shared GOCACHE may have a damaged output of the right size, which Go does not notice either."""
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    next_job_has_a_damaged_output(shelf)
    restored = shelf.begin(empty=False)
    assert [warning.slug for warning in restored.warnings] == ["store-damaged"]
    assert digest("version 1") not in names(shelf)
    assert restored.base.ids == ()
    put(shelf.gocache, "new", b"new")
    assert shelf.end().is_full


@pytest.mark.parametrize("end", ["deadline", "disk", "gone"])
def test_patch_that_ends_early_brings_no_action(shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Only the checksum at the end of a patch shows that an old output has other bytes."""
    second = random.Random(9).randbytes(SIZE - 5000)
    shelf.begin()
    for name, content in {"kept": KEPT * 2, "first": FIRST, "second": second}.items():
        put(shelf.gocache, name, content)
    shelf.end()
    shelf.begin()
    use(shelf.gocache, "kept")
    put(shelf.gocache, "version 1", changed(FIRST, 1))
    put(shelf.gocache, "version 2", changed(second, 2))
    assert shelf.end().bytes < 9000
    next_job_has_a_damaged_output(shelf)
    deadline, write, count = Deadline.after(30), BuildIntake.write, itertools.count()

    def ending(intake: BuildIntake, path: Path, name: OutputName, copy: Callable[[BinaryIO], None]) -> None:
        if name.id in {digest(changed(FIRST, 1)), digest(changed(second, 2))} and next(count):
            if end == "deadline":
                deadline.cancel()
            else:
                raise (OSError(28, "No space left on device") if end == "disk" else FileNotFoundError(2, "gone"))
        write(intake, path, name, copy)

    monkeypatch.setattr(BuildIntake, "write", ending)
    restored = shelf.store().restore(shelf.gocache, shelf.old, LINEAGE, 1e9, deadline)
    assert not {digest("version 1"), digest("version 2")} & names(shelf)
    assert restored.base.ids == ()
    assert not {digest(changed(FIRST, 1)), digest(changed(second, 2))} & restored.base.outputs.keys()
    assert not list(shelf.gocache.glob("go-prefetch*"))


def test_damaged_entry_brings_no_action_from_its_patches(shelf: BuildShelf) -> None:
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    entry = shelf.entries()[-1]
    data, times = bytearray(entry.read_bytes()), entry.stat()
    data[-1] ^= 1
    entry.write_bytes(data)
    os.utime(entry, ns=(times.st_atime_ns, times.st_mtime_ns))
    restored = shelf.begin()
    assert [warning.slug for warning in restored.warnings] == ["store-damaged"]
    assert digest("version 1") not in names(shelf)


def test_short_output_in_gocache_is_no_old_output(shelf: BuildShelf) -> None:
    """A damaged entry may have left it. The right one is in the folder for replaced outputs."""
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    shelf.jobs += 1
    shelf.gocache.mkdir()
    action, output = put(shelf.gocache, "first", FIRST)
    output.write_bytes(FIRST[:150_000])
    action.unlink()
    shelf.begin(empty=False)
    use(shelf.gocache, "kept")
    put(shelf.gocache, "version 2", changed(FIRST, 2))
    assert not shelf.end().is_full
    assert shelf.begin().warnings == ()
    assert names(shelf) == {digest("kept"), digest("version 2")}


def test_missing_folder_for_old_outputs_costs_patches(shelf: BuildShelf) -> None:
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    next_job_has_no_folder(shelf)
    restored = shelf.begin()
    assert (restored.warnings, names(shelf)) == ((), {digest("kept")})
    put(shelf.gocache, "version 1", changed(FIRST, 1))
    use(shelf.gocache, "kept")
    assert shelf.end().is_full


def test_disk_without_room_for_a_patch_brings_none(shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    sizes = itertools.chain([1 << 40, 1 << 40], itertools.repeat(0))
    monkeypatch.setattr("go_prefetch.stores.cache_service.build_archive.free_bytes", lambda _: next(sizes))
    restored = shelf.begin()
    assert [warning.slug for warning in restored.warnings] == ["store-no-room"]
    assert digest(changed(FIRST, 1)) not in restored.base.outputs
    use(shelf.gocache, "kept")
    put(shelf.gocache, "version 1", changed(FIRST, 1))
    assert shelf.end().is_full


def test_leftovers_of_a_killed_run_go_without_an_entry_too(shelf: BuildShelf) -> None:
    shelf.gocache.with_name("gocache1").mkdir()
    left = shelf.gocache.with_name("gocache1") / "go-prefetch-run-left"
    left.mkdir(mode=0o700)
    (left / "patch-0").write_bytes(b"half")
    shelf.begin()
    assert not left.exists()


def test_missing_entry_below_brings_no_patch(shelf: BuildShelf) -> None:
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    shelf.entries()[0].unlink()
    restored = shelf.begin()
    assert (names(shelf), restored.warnings, restored.base.ids) == (set(), (), ())


def test_old_outputs_that_another_job_removes_are_no_failure(
    shelf: BuildShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the entries and the patches, or while a patch is read."""
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))

    def removing(path: Path, old: Sequence[Path], *how: Any) -> None:
        old[0].unlink()
        read_patch(path, old, *how)

    monkeypatch.setattr("go_prefetch.stores.cache_service.build_archive.read_patch", removing)
    restored = shelf.begin()
    assert (names(shelf), restored.warnings, restored.base.ids) == ({digest("kept")}, (), ())
    put(shelf.gocache, "version 1", changed(FIRST, 1))
    assert shelf.end().is_full


def test_lost_old_outputs_lead_to_no_patch(shelf: BuildShelf) -> None:
    """Whoever removes them: the job saves the new output as it is."""
    saved_once(shelf)
    job(shelf, "version 1", changed(FIRST, 1))
    shelf.begin()
    use(shelf.gocache, "kept")
    (shelf.old / digest(FIRST)).unlink()
    if sys.platform != "win32":
        os.mkfifo(shelf.old / digest(FIRST))
    put(shelf.gocache, "version 2", changed(FIRST, 2))
    assert shelf.end().is_full
    shelf.begin()
    assert names(shelf) == {digest("kept"), digest("version 2")}


@NEEDS_PROGRAM
@pytest.mark.skipif(sys.platform == "win32", reason="a script in place of a program")
@pytest.mark.parametrize("direction", ["reads", "writes"])
def test_zstd_that_is_too_old_for_patches_fails_no_job(tmp_path: Path, direction: str) -> None:
    """Only programs from 1.4.7 on write what takes a prefix, from a pipe. What they cannot write is saved as it is."""
    program = tmp_path / "zstd"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *patch-from*) echo "Incorrect parameters" >&2; exit 1;; esac\nexec {PROGRAM} "$@"\n'
    )
    program.chmod(0o755)
    too_old = by_program(str(program), os.environ)
    shelf = BuildShelf(tmp_path, too_old if direction == "writes" else WITH_PROGRAM)
    saved_once(shelf)
    shelf.begin()
    use(shelf.gocache, "kept")
    put(shelf.gocache, "version 1", changed(FIRST, 1))
    saved = shelf.end()
    assert (saved.warnings, saved.bytes > SIZE) == ((), direction == "writes")
    shelf.encoding = too_old
    restored = shelf.begin()
    assert [warning.slug for warning in restored.warnings] == ([] if direction == "writes" else ["store-damaged"])
    assert (digest("version 1") in names(shelf)) == (direction == "writes")
    assert digest("kept") in names(shelf)


def test_state_of_a_job_without_its_folder_is_harmless(shelf: BuildShelf) -> None:
    saved_once(shelf)
    shelf.begin()
    assert shelf.state
    shelf.state = replace(shelf.state, base=replace(shelf.state.base, made_from={digest(FIRST): digest("nowhere")}))
    use(shelf.gocache, "kept")
    put(shelf.gocache, "version 1", changed(FIRST, 1))
    assert shelf.end().is_full


def patch_of(members: Members, old: Path) -> bytes:
    """Return a patch with these files, made from what is in `old`."""
    out = io.BytesIO()
    assert MODULE.against
    write_members(out, outgoing(members), MODULE.against(old))
    return out.getvalue()


NEW = changed(FIRST, 1)
PAIR = f"{digest(NEW)} {digest(FIRST)}\n".encode()
MANY = b"".join(f"{digest(str(number))} {digest(FIRST)}\n".encode() for number in range(300))  # 60 MB of old outputs
ACTIONS = action_line(digest("new"), digest(NEW), len(NEW))


@pytest.mark.parametrize(
    ("ids", "patched"),
    [
        (b"", [(name_of(NEW), NEW)]),
        (b"one two\n", [(name_of(NEW), NEW)]),
        (PAIR[:65], [(name_of(NEW), NEW)]),
        (PAIR.replace(b"\n", b" x\n"), [(name_of(NEW), NEW)]),
        (PAIR + MANY, [(name_of(NEW), NEW)]),
        (f"{digest(NEW)} {digest('gone')}\n".encode(), [(name_of(NEW), NEW)]),
        (f"{digest(NEW)} {digest('tiny')}\n".encode(), [(name_of(NEW), NEW)]),
        (PAIR, []),
        (PAIR, [("../evil", NEW)]),
        (PAIR, [("actions", NEW)]),
        (PAIR, [(name_of(NEW), NEW[:-1])]),
        (PAIR, [(name_of(b"another"), b"another")]),
        (PAIR, [(f"{name_of(b'another')}/../../evil", b"another")]),
    ],
)  # fmt: skip
def test_patch_of_another_form_brings_nothing(shelf: BuildShelf, tmp_path: Path, ids: bytes, patched: Members) -> None:
    first = tmp_path / "first"
    first.write_bytes(FIRST)
    lines = action_line(digest("first"), digest(FIRST), SIZE) + action_line(digest("short"), digest("tiny"), 4)
    full = plant(shelf, [("actions", lines), (name_of(FIRST), FIRST), (name_of(b"tiny"), b"tiny")])
    files = [("actions", ACTIONS), ("patch-0.ids", ids), ("patch-0.zst", patch_of(patched, first))]
    plant(shelf, files, below=[full])
    shelf.begin()
    assert names(shelf) == {digest("first"), digest("short")}
    assert len(files_of(shelf.gocache)) == 4
    assert not (tmp_path / "evil").exists()
    put(shelf.gocache, "another", b"another")
    assert shelf.end().is_full or ids == b""


@pytest.mark.parametrize(
    "files",
    [
        [("patch-0.zst", b"no patch"), ("patch-0.ids", PAIR)],
        [("patch-0.ids", PAIR)],
        [("replaced", b"../evil\n")],
        [("replaced", b"\n" * 6_500_000)],
        [("patch-0.ids", b"\n" * 13_000_001)],
        [("replaced", b"\xff\n")],
        [("patch-x.ids", PAIR)],
        [("patch-0.ids", PAIR), ("patch-0.zst", b"")],
    ],
)
def test_entry_with_such_files_brings_no_output(shelf: BuildShelf, files: Members) -> None:
    full = plant(shelf, [("actions", action_line(digest("first"), digest(FIRST), SIZE)), (name_of(FIRST), FIRST)])
    plant(shelf, [("actions", ACTIONS), *files], below=[full])
    restored = shelf.begin()
    assert restored.base.ids == ()
    assert set(files_of(shelf.gocache)) <= {name_of(FIRST), f"{digest('first')[:2]}/{digest('first')}-a"}


sizes = st.lists(st.integers(0, 60 << 20) | st.integers(0, 200), max_size=40)


def made(kind: str, found: Sequence[int]) -> list[Output]:
    """Return outputs of these sizes."""
    return [Output(OutputName(digest(f"{kind} {number}"), ""), size) for number, size in enumerate(found)]


@given(new=sizes, old=sizes)
def test_pairs_are_similar_and_have_each_output_once(new: list[int], old: list[int]) -> None:
    found = list(pairs(made("new", new), made("old", old)))
    for place in (0, 1):
        ids = [pair[place].name.id for pair in found]
        assert len(ids) == len(set(ids))
    for one, other in found:
        assert max(one.bytes, other.bytes) <= 1.5 * min(one.bytes, other.bytes)


@given(new=sizes, old=sizes)
def test_patches_fit_into_memory_and_have_each_pair(new: list[int], old: list[int]) -> None:
    similar = [
        (one, Old(other.name.id, Path("old"), other.bytes)) for one, other in pairs(made("new", new), made("old", old))
    ]
    found = patches(similar)
    for patch in found:
        new_sizes, old_sizes = [one.bytes for one in patch.new], [one.bytes for one in patch.old]
        assert max(sum(new_sizes), sum(old_sizes)) <= 48 << 20
        assert min(new_sizes + old_sizes) >= 64
    fitting = {
        (one.name.id, other.id)
        for one, other in similar
        if max(one.bytes, other.bytes) <= 48 << 20 and min(one.bytes, other.bytes) >= 64
    }
    assert {pair for patch in found for pair in patch.ids} == fitting
