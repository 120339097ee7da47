"""The bench of the build cache: what it counts in GOCACHE, and which runs it refuses to compare."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

from buildcache_rig import Outcome, Release
from buildcache_versions import Cost, byte_tables, check_same, seconds_tables
from gocache import add_copies, files_of, size_of, used_bytes
from realproject import BenchError

ACTION_BYTES = 175
BUILT = Outcome({"tool": "aa"}, ("status 0",))


def put(folder: Path, action: str, output: str, data: bytes) -> None:
    for name, kind, content in (
        (action * 64, "a", f"v1 {action * 64} {output * 64} {len(data):20} {1:20}\n".encode()),
        (output * 64, "d", data),
    ):
        file = folder / name[:2] / f"{name}-{kind}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)


def test_used_bytes_of_untouched_files_are_none(tmp_path: Path) -> None:
    put(tmp_path, "1", "2", b"x" * 10)
    assert used_bytes(tmp_path, files_of(tmp_path)) == 0


def test_used_bytes_count_the_output_of_a_touched_action(tmp_path: Path) -> None:
    put(tmp_path, "1", "2", b"x" * 10)
    put(tmp_path, "3", "4", b"y" * 20)
    before = files_of(tmp_path)
    os.utime(tmp_path / "11" / f"{'1' * 64}-a")
    assert used_bytes(tmp_path, before) == ACTION_BYTES + 10


def test_used_bytes_count_new_files_and_shared_outputs_once(tmp_path: Path) -> None:
    put(tmp_path, "1", "2", b"x" * 10)
    put(tmp_path, "3", "2", b"x" * 10)
    assert used_bytes(tmp_path, {}) == size_of(files_of(tmp_path)) == 2 * ACTION_BYTES + 10


def test_used_bytes_count_an_executable_in_its_folder(tmp_path: Path) -> None:
    put(tmp_path, "1", "2", b"")
    output = tmp_path / "22" / f"{'2' * 64}-d"
    output.unlink()
    output.mkdir()
    (output / "tool").write_bytes(b"z" * 30)
    assert used_bytes(tmp_path, {}) == ACTION_BYTES + 30


def test_add_copies_make_whole_entries_under_other_ids(tmp_path: Path) -> None:
    put(tmp_path, "1", "2", b"x" * 1000)
    before = size_of(files_of(tmp_path))
    added = add_copies(tmp_path, 2500)
    files = files_of(tmp_path)
    assert size_of(files) == before + added
    assert added == 3 * (ACTION_BYTES + 1000)
    assert used_bytes(tmp_path, {}) == size_of(files)


@pytest.mark.parametrize(
    "other",
    [Outcome({"tool": "bb"}, BUILT.vet), Outcome({}, BUILT.vet), Outcome(BUILT.programs, ("status 1",))],
    ids=["another program", "no program", "another verdict"],
)
def test_check_same_of_another_outcome_fails(other: Outcome) -> None:
    check_same("v1", {"none": BUILT, "ours": BUILT})
    with pytest.raises(BenchError, match="ours"):
        check_same("v1", {"none": BUILT, "ours": other})


def test_seconds_tables_tell_a_known_go_sum_from_another(tmp_path: Path) -> None:
    chosen = [Release(version, tmp_path, sums) for version, sums in (("v1", "a"), ("v2", "b"), ("v3", "a"))]
    found = seconds_tables(chosen, {"setup-go": costs(8, 8, 4), "ours": costs(8, 2, 3)})
    assert found["ratio, versions with another go.sum"] == {"ours/setup-go": [1.0, 0.25]}
    assert found["ratio, versions with a go.sum seen before"] == {"ours/setup-go": [0.75]}


def test_byte_tables_compare_what_is_kept_with_what_was_used() -> None:
    found = byte_tables({"whole": costs(8, 8), "ours": costs(8, 2)}, [600, 550])
    assert found["ratio to what the job used"] == {"restored for the next job, ours": [1.2, 1.1]}
    assert found["ratio of MB stored in all"] == {"ours/whole": [1.0]}


def costs(*seconds: float) -> list[Cost]:
    return [
        Cost(0, one, 0, cpu=1, received=0, stored=100, restored=0, used=500, left=500, outcome=BUILT) for one in seconds
    ]
