"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from go_prefetch import atomicfile
from go_prefetch.atomicfile import remove_unfinished, write_named, write_whole, written_beside


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


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
@pytest.mark.parametrize("linked", [False, True], ids=["pipe", "link-to-pipe"])
def test_write_named_writes_into_a_pipe_and_leaves_it_there(tmp_path: Path, linked: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    named = tmp_path / "link" if linked else pipe
    if linked:
        named.symlink_to(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_named(named, b"whole")
    reader.join()
    assert read == [b"whole"]
    assert pipe.is_fifo()
    assert named.is_symlink() == linked


def test_write_named_writes_a_file_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"what was there, and longer")
    write_named(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
    with pytest.raises(OSError, match="directory"):
        write_named(tmp_path, b"whole")


@pytest.mark.skipif(sys.platform == "win32", reason="streams have no names there")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/dev/null"])
def test_write_named_adds_to_a_stream_that_is_a_file(tmp_path: Path, name: str) -> None:
    """Not from its beginning, and nothing that comes after is written over it."""
    script = (
        "import sys; from pathlib import Path; from go_prefetch.atomicfile import write_named\n"
        f"print('before', flush=True); write_named(Path({name!r}), b'named\\n'); print('after')"
    )
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True, timeout=60)
    named = "" if name == "/dev/null" else "named\n"
    assert (tmp_path / "out").read_text() == f"before\n{named}after\n"
    assert Path("/dev/null").is_char_device()
