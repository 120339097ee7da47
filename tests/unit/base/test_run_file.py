"""What a run has begun is found when it was killed, and nothing else is taken for that."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from go_prefetch.base import atomic_file, run_file
from go_prefetch.base.run_file import clear_dead_runs, recording, write_whole

NOTES = ".go-prefetch"
TEMPORARY = f"x/@v/v1.0.0.zip{1:019d}.tmp"
# Begins a file in the folder it is given, says so, and waits for its end.
BEGINS = (
    "import sys, time; from pathlib import Path; from go_prefetch.base import atomic_file, run_file\n"
    "with run_file.recording(Path(sys.argv[1])) as record:\n"
    "    with atomic_file.new_file(Path(sys.argv[1]), 'x/@v/v1.0.0.zip', record=record) as out:\n"
    "        out.write(b'half'); out.flush(); print('begun', flush=True); time.sleep(600)\n"
)
# Clears the folder it is given, and dies after it has removed one file there.
DIES_CLEARING = (
    "import os, sys; from pathlib import Path; from go_prefetch.base import nofollow, run_file\n"
    "unlink = nofollow.Folder.unlink\n"
    "nofollow.Folder.unlink = lambda folder, name: (unlink(folder, name), os._exit(9))\n"
    "run_file.clear_dead_runs(Path(sys.argv[1]))\n"
)


def _begun(folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", BEGINS, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().split() == [b"begun"]
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _plant(folder: Path, *names: str, mode: int = 0o600) -> Path:
    """A run file that no live run holds."""
    (folder / NOTES).mkdir(parents=True, exist_ok=True)
    planted = folder / NOTES / "run-0000000000000000001"
    planted.write_text("".join(f"{name}\n" for name in names))
    planted.chmod(mode)
    return planted


def test_a_killed_run_leaves_what_a_later_one_finds(tmp_path: Path) -> None:
    write_whole(tmp_path, "x/@v/v1.0.0.mod", b"whole")
    process = _begun(tmp_path)
    assert len(_files(tmp_path)) == 3
    _end(process)
    clear_dead_runs(tmp_path)
    assert _files(tmp_path) == ["x/@v/v1.0.0.mod"]
    assert not (tmp_path / NOTES).exists()


def test_a_run_killed_while_it_clears_leaves_no_file(tmp_path: Path) -> None:
    names = [f"x/@v/v1.0.{number}.zip{number:019d}.tmp" for number in range(3)]
    _plant(tmp_path, *names)
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"half")
    done = subprocess.run([sys.executable, "-c", DIES_CLEARING, str(tmp_path)], check=False)
    assert done.returncode == 9
    assert len(_files(tmp_path)) == 3
    clear_dead_runs(tmp_path)
    assert _files(tmp_path) == []


def test_a_live_run_is_left_alone(tmp_path: Path) -> None:
    process = _begun(tmp_path)
    try:
        before = _files(tmp_path)
        clear_dead_runs(tmp_path)
        assert _files(tmp_path) == before
    finally:
        _end(process)


def test_run_file_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with recording(tmp_path) as record:
        record(TEMPORARY)
        (run,) = (tmp_path / NOTES).iterdir()
        assert run.read_text() == f"{TEMPORARY}\n"
        if sys.platform != "win32":
            assert run.stat().st_mode & 0o777 == 0o600
        with recording(tmp_path):
            assert list((tmp_path / NOTES).iterdir()) == [run]
    assert list(tmp_path.iterdir()) == []


def test_other_notes_of_a_pool_stay(tmp_path: Path) -> None:
    write_whole(tmp_path, f"{NOTES}/runs/a.json", b"{}")
    with recording(tmp_path):
        pass
    assert _files(tmp_path) == [f"{NOTES}/runs/a.json"]


def test_an_abandoned_block_may_end_while_another_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python ends such a block when it collects garbage: at any moment, in any thread."""
    abandoned = recording(tmp_path / "abandoned")
    abandoned.__enter__()
    monkeypatch.setattr(run_file._RunFile, "_make", lambda _: abandoned.__exit__(None, None, None))
    with recording(tmp_path / "other"):
        pass
    assert run_file._open == {}


def test_many_threads_share_one_run_file(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        for turn in range(20):
            write_whole(tmp_path, f"{number}/{turn}", b"x")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_files(tmp_path)) == 160
    assert not (tmp_path / NOTES).exists()


@pytest.mark.parametrize(
    "name",
    [
        "x/@v/v1.0.0.zip",
        "../outside",
        f"../outside{1:019d}.tmp",
        f"/etc/passwd{1:019d}.tmp",
        f"x/../../o{1:019d}.tmp",
        "",
    ],
)
def test_a_planted_run_file_leads_to_no_other_file(tmp_path: Path, name: str) -> None:
    """Another user may have written it, had it been his."""
    root = tmp_path / "pool"
    for path in (
        root / "x/@v/v1.0.0.zip",
        tmp_path / "outside",
        tmp_path / f"outside{1:019d}.tmp",
        tmp_path / f"o{1:019d}.tmp",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"theirs")
    before = _files(tmp_path)
    _plant(root, name)
    clear_dead_runs(root)
    assert _files(tmp_path) == before


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links and modes")
@pytest.mark.parametrize("how", ["readable", "hard-linked", "a link", "a pipe", "a link for its folder"])
def test_what_is_no_private_file_of_ours_is_not_believed(tmp_path: Path, how: str) -> None:
    root = tmp_path / "pool"
    (root / "x/@v").mkdir(parents=True)
    (root / TEMPORARY).write_bytes(b"half")
    planted = _plant(root, TEMPORARY, mode=0o644 if how == "readable" else 0o600)
    if how == "hard-linked":
        (tmp_path / "other").hardlink_to(planted)
    elif how == "a link":
        planted.rename(tmp_path / "other")
        planted.symlink_to(tmp_path / "other")
    elif how == "a pipe":
        planted.unlink()
        os.mkfifo(planted, 0o600)
    elif how == "a link for its folder":
        planted.parent.rename(tmp_path / "other")
        planted.parent.symlink_to(tmp_path / "other")
    clear_dead_runs(root)
    assert (root / TEMPORARY).read_bytes() == b"half"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_many_run_files_that_are_not_ours_hide_none_that_is(tmp_path: Path) -> None:
    process = _begun(tmp_path)
    _end(process)
    for number in range(500):
        planted = tmp_path / NOTES / f"run-{number:019d}"
        planted.write_text("")
        planted.chmod(0o644)
    clear_dead_runs(tmp_path)
    assert not [name for name in _files(tmp_path) if name.startswith("x/")]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")
def test_a_link_behind_a_recorded_name_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "pool", tmp_path / "outside"
    outside.mkdir()
    (outside / TEMPORARY.rpartition("/")[2]).write_bytes(b"theirs")
    (root / "x").mkdir(parents=True)
    (root / "x/@v").symlink_to(outside)
    _plant(root, TEMPORARY)
    clear_dead_runs(root)
    assert len(_files(outside)) == 1


def test_a_folder_that_takes_no_record_is_written_all_the_same(tmp_path: Path) -> None:
    (tmp_path / NOTES).write_bytes(b"in the way")
    write_whole(tmp_path, "x/file", b"whole")
    assert _files(tmp_path) == [NOTES, "x/file"]


@pytest.mark.skipif(sys.platform == "win32", reason="it removes no open file")
def test_finish_removes_what_a_thread_that_never_ends_has_begun(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def begin() -> None:
        with recording(tmp_path) as record, atomic_file.new_file(tmp_path, "file", record=record):
            begun.set()
            go_on.wait()

    def run() -> None:
        with pytest.raises(FileNotFoundError):
            begin()

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    run_file.finish()
    assert list(tmp_path.iterdir()) == []
    go_on.set()
    thread.join()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no system with /proc")
def test_a_folder_that_cannot_be_made_ends_in_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(Path("/proc/go-prefetch"), "x", b"x")


def test_finish_keeps_the_record_of_what_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows removes no open file, so a later run has to find it."""
    monkeypatch.setattr(atomic_file, "remove_unfinished", lambda: False)
    with recording(tmp_path) as record:
        record(TEMPORARY)
        run_file.finish()
        assert len(list((tmp_path / NOTES).iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
