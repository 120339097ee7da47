"""Files that appear whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from go_prefetch import atomicfile
from go_prefetch.atomicfile import remove_unfinished, write_whole, written_beside


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    final = tmp_path / "a" / "b" / "file"
    with written_beside(final) as beside:
        beside.write_bytes(b"whole")
        assert beside.parent == final.parent
        assert not final.exists()
    assert final.read_bytes() == b"whole"
    assert _names(final.parent) == ["file"]


def test_the_temporary_name_is_one_that_go_clears_away(tmp_path: Path) -> None:
    """Go removes `NAME*.tmp` before it downloads NAME."""
    with written_beside(tmp_path / "v1.0.0.zip") as beside:
        assert re.fullmatch(r"v1\.0\.0\.zip[0-9]+\.tmp", beside.name)
        beside.touch()


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    final = tmp_path / "file"
    with written_beside(final) as one, written_beside(final) as other:
        assert one != other
        one.write_bytes(b"one")
        other.write_bytes(b"other")
    assert final.read_bytes() == b"one"
    assert _names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    final = tmp_path / "file"
    final.write_bytes(b"old")
    with pytest.raises(error), written_beside(final) as beside:  # noqa: PT012
        beside.write_bytes(b"half")
        raise error
    assert final.read_bytes() == b"old"
    assert _names(tmp_path) == ["file"]


def test_an_error_before_the_first_byte_is_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"), written_beside(tmp_path / "file"):
        raise ValueError("mine")
    assert _names(tmp_path) == []


def test_what_cannot_be_renamed_is_removed(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write_whole(tmp_path / "file", b"data")
    assert _names(tmp_path) == ["file"]


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_beside(tmp_path / "file"):
        pass


def test_write_whole_replaces_a_hard_link_and_not_what_it_shares(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "ours").hardlink_to(tmp_path / "theirs")
    write_whole(tmp_path / "ours", b"ours")
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert (tmp_path / "ours").read_bytes() == b"ours"


def test_remove_unfinished_removes_what_is_under_way_and_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "done", b"done")
    with pytest.raises(FileNotFoundError), written_beside(tmp_path / "file") as beside:  # noqa: PT012
        beside.write_bytes(b"half")
        remove_unfinished()
        assert not beside.exists()
    assert _names(tmp_path) == ["done"]
    assert not atomicfile._under_way


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
