"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from go_prefetch.base import atomic_file
from go_prefetch.base.atomic_file import is_temporary, new_file, remove_unfinished, write_named, write_whole


def test_new_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with new_file(tmp_path, "a/b/file") as out:
        out.write(b"whole")
        assert _names(tmp_path / "a" / "b") != ["file"]
    assert (tmp_path / "a/b/file").read_bytes() == b"whole"
    assert _names(tmp_path / "a" / "b") == ["file"]


def test_new_file_has_a_temporary_name_that_go_removes(tmp_path: Path) -> None:
    """Go removes `NAME*.tmp` before it downloads NAME."""
    names: list[str] = []
    with new_file(tmp_path, "x/v1.0.0.zip", record=names.append):
        assert [f"x/{name}" for name in _names(tmp_path / "x")] == names
    assert re.fullmatch(r"x/v1\.0\.0\.zip[0-9]+\.tmp", names[0])
    assert is_temporary(names[0])


def test_temporary_names_do_not_tell_of_the_next(tmp_path: Path) -> None:
    """Nor do they have a beginning in common: whoever has seen some can plant nothing under another."""
    names: list[str] = []
    for _ in range(20):
        with new_file(tmp_path, "f", record=names.append):
            pass
    digits = [name.removeprefix("f").removesuffix(".tmp") for name in names]
    assert len({text[:6] for text in digits}) == 20
    assert {len(text) for text in digits} == {19}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")
def test_new_file_is_not_written_through_a_planted_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if somebody had guessed the name."""
    monkeypatch.setattr(os, "urandom", bytes)  # zeros
    victim = tmp_path / "victim"
    victim.write_bytes(b"victim's")
    (tmp_path / "pool").mkdir()
    planted = tmp_path / "pool" / f"file{0:019d}.tmp"
    for plant in (planted.symlink_to, planted.hardlink_to):
        plant(victim)
        with pytest.raises(FileExistsError), new_file(tmp_path / "pool", "file") as out:
            out.write(b"ours")
        assert victim.read_bytes() == b"victim's"
        planted.unlink(missing_ok=True)


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    with new_file(tmp_path, "file") as one, new_file(tmp_path, "file") as other:
        one.write(b"one")
        other.write(b"other")
    assert (tmp_path / "file").read_bytes() == b"one"
    assert _names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(error), new_file(tmp_path, "file") as out:  # noqa: PT012
        out.write(b"half")
        raise error
    assert (tmp_path / "file").read_bytes() == b"old"
    assert _names(tmp_path) == ["file"]


def test_what_cannot_be_renamed_is_removed(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write_whole(tmp_path / "file", b"data")
    assert _names(tmp_path) == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="it removes no open file")
def test_a_temporary_file_that_was_taken_away_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), new_file(tmp_path, "file"):
        next(tmp_path.iterdir()).unlink()
    assert _names(tmp_path) == []


def test_write_whole_replaces_a_hard_link_and_not_what_it_shares(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "ours").hardlink_to(tmp_path / "theirs")
    write_whole(tmp_path / "ours", b"ours")
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    assert (tmp_path / "ours").read_bytes() == b"ours"


@pytest.mark.skipif(sys.platform == "win32", reason="it removes no open file")
def test_remove_unfinished_removes_only_files_in_progress(tmp_path: Path) -> None:
    write_whole(tmp_path / "done", b"done")
    with pytest.raises(FileNotFoundError), new_file(tmp_path, "file") as out:  # noqa: PT012
        out.write(b"half")
        remove_unfinished()
        assert _names(tmp_path) == ["done"]
    assert _names(tmp_path) == ["done"]
    assert not atomic_file._in_progress


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
    with pytest.raises(OSError, match=r"directory|denied"):
        write_named(tmp_path, b"whole")


@pytest.mark.skipif(sys.platform == "win32", reason="streams have no names there")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/dev/null"])
def test_write_named_adds_to_a_stream_that_is_a_file(tmp_path: Path, name: str) -> None:
    """Not from its beginning, and nothing that comes after is written over it."""
    script = (
        "import sys; from pathlib import Path; from go_prefetch.base.atomic_file import write_named\n"
        f"print('before', flush=True); write_named(Path({name!r}), b'named\\n'); print('after')"
    )
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True, timeout=60)
    named = "" if name == "/dev/null" else "named\n"
    assert (tmp_path / "out").read_text() == f"before\n{named}after\n"
    assert Path("/dev/null").is_char_device()
