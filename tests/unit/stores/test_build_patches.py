"""Deltas of outputs that changed a little: small, the same when they come back, and harmless if something is wrong."""

from __future__ import annotations

import io
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.base.programs import find_program
from go_prefetch.golang.build_cache import Output, OutputName
from go_prefetch.stores.cache_service.archive import write_members
from go_prefetch.stores.cache_service.build_patches import Old, joined, pairs, patches, prefixed
from go_prefetch.stores.cache_service.compression import PLAIN, Encoding, best_encoding, by_program
from tests.support.build_shelf import (
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

PROGRAM = find_program("zstd", os.environ.get("PATH", os.defpath))
NEEDS_PROGRAM = pytest.mark.skipif(PROGRAM is None, reason="there is no zstd")
MODULE = best_encoding({"PATH": ""})
WITH_PROGRAM = by_program(PROGRAM or "zstd", os.environ)
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
    assert base.replaced == {digest(content) for content in (FIRST, changed(FIRST, 1), changed(FIRST, 2))}


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
    shelf.jobs += 1
    shelf.gocache.mkdir()
    _, output = put(shelf.gocache, "first", FIRST)
    output.write_bytes(bytes(SIZE))
    restored = shelf.begin(empty=False)
    assert [warning.slug for warning in restored.warnings] == ["store-damaged"]
    assert digest("version 1") not in names(shelf)
    assert restored.base.ids == ()
    put(shelf.gocache, "new", b"new")
    assert shelf.end().is_full


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

    def removing(patch: Path, old: Sequence[Path]) -> Path:
        old[0].unlink()
        return joined(patch, old)

    monkeypatch.setattr("go_prefetch.stores.cache_service.build_archive.joined", removing)
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
    """`--patch-from` came with 1.4.5, in 2020."""
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
    assert [warning.slug for warning in saved.warnings] == (["store-archive"] if direction == "writes" else [])
    shelf.encoding = too_old
    restored = shelf.begin()
    assert [warning.slug for warning in restored.warnings] == ([] if direction == "writes" else ["store-damaged"])
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
    write_members(out, outgoing(members), prefixed(MODULE, old))
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
    full = plant(shelf, [("actions", action_line(digest("first"), digest(FIRST), SIZE)), (name_of(FIRST), FIRST)])
    files = [("actions", ACTIONS), ("patch-0.ids", ids), ("patch-0.zst", patch_of(patched, first))]
    plant(shelf, files, below=[full])
    shelf.begin()
    assert set(files_of(shelf.gocache)) == {name_of(FIRST), f"{digest('first')[:2]}/{digest('first')}-a"}
    assert not (tmp_path / "evil").exists()
    put(shelf.gocache, "another", b"another")
    assert shelf.end().is_full or ids == b""


@pytest.mark.parametrize(
    "files",
    [
        [("patch-0.zst", b"no patch"), ("patch-0.ids", PAIR)],
        [("patch-0.ids", PAIR)],
        [("replaced", b"../evil\n")],
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
        assert max(one.bytes, other.bytes) <= 2 * min(one.bytes, other.bytes)


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
