"""What may be unpacked unverified: half of the free disk in blocks and inodes, for all runs on a module cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from go_prefetch.base.temporary_folder import clear_temporary, temporary_folder
from go_prefetch.modfiles.zip_inspect import Space, plain_space
from go_prefetch.verification.private_folder import clear_leftovers, private_folder, private_folders
from go_prefetch.verification.room import Room
from tests.integration.test_disks import _namespaces, prefetch_with
from tests.support.fakes.go_on_path import go_with_another_root
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.workbench import Workbench

__all__ = ["_namespaces"]  # the fixture

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows")

MANY = {f"d{number % 10}/f{number}": b"x" for number in range(12_000)}


def free(folder: Path) -> int:
    seen = os.statvfs(folder)
    return seen.f_bavail * seen.f_frsize


# Makes what looks like the leftovers of a killed run, and has a folder in it and a link change places without end.
EXCHANGER = """
import ctypes, os, sys
left, victim = sys.argv[1:]
for number in range(300):
    os.makedirs(f"{left}/{number}")
os.mkdir(f"{left}/folder")
os.symlink(victim, f"{left}/link")
os.chmod(left, 0o777)
folder, link, exchange = f"{left}/folder".encode(), f"{left}/link".encode(), 2
libc, here = ctypes.CDLL(None), -100
print("ready", flush=True)
while os.path.exists(left):
    libc.renameat2(here, folder, here, link, exchange)
"""


@pytest.mark.parametrize(
    ("files", "blocks", "inodes"),
    [
        ({"a": b""}, 2, 2),  # the folder that is named after the module, too
        ({"a": b"x" * 4096, "b": b"x" * 4097}, 4, 3),
        ({"a/b/c": b"x", "a/b/d": b"x", "a-b/c": b"x", "e": b"x"}, 8, 8),
    ],
)
def test_a_zip_takes_whole_blocks_and_its_folders_too(
    tmp_path: Path, files: dict[str, bytes], blocks: int, inodes: int
) -> None:
    module = FakeModule("lib.example", "v1.0.0", files=files, has_gomod=False)
    (tmp_path / "lib.zip").write_bytes(module.zip)
    assert plain_space(tmp_path / "lib.zip", 4096) == Space(blocks * 4096, inodes)


@pytest.mark.system
@pytest.mark.parametrize("mount", ["size=100m", "size=400m,nr_inodes=20000"], ids=["blocks", "inodes"])
def test_many_tiny_files_do_not_fill_the_disk(bench: Workbench, mount: str) -> None:
    """Four poisoned zips claim 12 kB each, and take 48 MB and 12,000 inodes: the run goes on without the fast way."""
    modules = [FakeModule(f"example.com/m{number}", "v1.0.0", padding=300_000) for number in range(8)]
    bench.write_project(modules)
    write_proxy_folder(bench.pool, [FakeModule(m.path, m.version, files=MANY) for m in modules[4:]])
    with ModuleProxy(modules) as proxy:
        result, _ = prefetch_with(bench, f'mount -t tmpfs -o {mount} none "$AT"', bench.modcache, proxy.url)
    assert result.status == 0, result.text
    left = bench.report["admit"]["left_to_go"]
    assert left["no room to unpack it unverified"] >= 3
    assert bench.report["admit"]["notice"] == ""


def test_two_quarantines_share_the_room(tmp_path: Path) -> None:
    """Not half of the disk for each: the second gets what the first has left, until that is gone."""
    share = Space(free(tmp_path) * 3 // 10, 1)
    with private_folder(tmp_path) as first, private_folder(tmp_path) as second:
        rooms = Room(first, tmp_path), Room(second, tmp_path)
        assert rooms[0].take(share)
        assert not rooms[1].take(share)
        assert rooms[1].take(Space(share.bytes // 3, 1))
    with private_folder(tmp_path) as third:
        assert Room(third, tmp_path).take(share)


def test_what_a_dead_run_claimed_is_free_again(tmp_path: Path) -> None:
    """Killed, so that nobody takes the note away: until its folder is cleared."""
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom go_prefetch.verification.private_folder import private_folder\n"
        "from go_prefetch.verification.room import Room, Space\n"
        "with private_folder(Path(sys.argv[1])) as root:\n"
        "    assert Room(root, Path(sys.argv[1])).take(Space(int(sys.argv[2]), 1))\n    os._exit(0)\n"
    )
    share = free(tmp_path) * 3 // 10
    subprocess.run([sys.executable, "-c", script, str(tmp_path), str(share)], check=True)
    with private_folder(tmp_path) as root:
        room = Room(root, tmp_path)
        assert not room.take(Space(share, 1))
        clear_leftovers(tmp_path)
        assert private_folders(tmp_path) == [root]
        assert room.take(Space(share, 1))


def test_claims_of_many_threads_and_runs_are_all_counted(tmp_path: Path) -> None:
    """However they fall together: never more than the half, and nothing of what was granted is forgotten."""
    sys.setswitchinterval(1e-6)
    try:
        with private_folder(tmp_path) as first, private_folder(tmp_path) as second:
            rooms = [Room(first, tmp_path), Room(second, tmp_path)]
            share = Space(free(tmp_path) // 100, 1)
            with ThreadPoolExecutor(8) as threads:
                granted = list(threads.map(lambda number: rooms[number % 2].take(share), range(200)))
            assert 20 <= sum(granted) <= 50
            noted = sum((root / "claimed-files").stat().st_size for root in (first, second))
            assert noted == sum(granted)
    finally:
        sys.setswitchinterval(0.005)


def test_a_note_that_cannot_be_written_leaves_the_zip_to_go(tmp_path: Path) -> None:
    """Its folder is gone, or the disk is full."""
    with private_folder(tmp_path) as root:
        room = Room(root, tmp_path)
        (root / "claimed-files").unlink()
        (root / "claimed-files").mkdir()
        assert not room.take(Space(1, 1))


def test_folder_is_made_while_another_run_clears_unlocked_ones(tmp_path: Path) -> None:
    """A run that has just begun is not taken for a dead one for good: it makes another folder."""
    stop = threading.Event()

    def clear() -> None:
        while not stop.is_set():
            clear_leftovers(tmp_path)

    sys.setswitchinterval(1e-5)
    clearing = [threading.Thread(target=clear) for _ in range(2)]
    for thread in clearing:
        thread.start()
    try:
        for _ in range(200):
            with private_folder(tmp_path) as root:
                (root / "file").touch()
    finally:
        stop.set()
        sys.setswitchinterval(0.005)
        for thread in clearing:
            thread.join()
    clear_leftovers(tmp_path)
    assert private_folders(tmp_path) == []


@pytest.mark.system
def test_two_runs_at_once_do_not_take_half_of_the_disk_each(bench: Workbench, tmp_path: Path) -> None:
    """One waits in its verification with 48 MB unpacked, of 400: the other brings in two such modules and not three."""
    modules = [FakeModule(f"example.com/m{number}", "v1.0.0", files=MANY) for number in range(6)]
    runs = []
    for name, part in (("first", modules[:1]), ("second", modules[1:])):
        one = Workbench(tmp_path / name, Path(bench.environ["GOCACHE"]))
        one.write_project(part)
        write_proxy_folder(one.pool, part)
        store = f"--store dir:{one.pool} --report-file {one.report_file}"
        runs.append(f'(cd {one.project} && exec "$@" run {store} >{tmp_path}/{name}.txt 2>&1)')
    go = go_with_another_root(
        tmp_path / "bin",
        f'if [ "$2" = verify ]; then touch {tmp_path}/verifies; until [ -e {tmp_path}/go-on ]; do sleep 0.1; done; fi',
    )
    script = (
        f'mount -t tmpfs -o size=400m none "$AT" || exit 99; (PATH={go.path}; export PATH; {runs[0]}) & '
        f"until [ -e {tmp_path}/verifies ]; do sleep 0.1; done; {runs[1]}; second=$?; "
        f"touch {tmp_path}/go-on; wait $!; exit $(($? + second))"
    )
    bench.modcache.mkdir()
    result = bench.program(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *bench.command],
        cwd=tmp_path, AT=str(bench.modcache), GOPROXY="off",
    )  # fmt: skip
    assert result.status == 0, "".join((tmp_path / f"{name}.txt").read_text() for name in ("first", "second"))
    left = [
        json.loads((tmp_path / name / "report.json").read_text())["admit"]["left_to_go"] for name in ("first", "second")
    ]
    assert left == [{}, {"no room to unpack it unverified": 3}]


def test_shared_folder_loses_only_dead_runs_of_this_user(tmp_path: Path) -> None:
    """Others may put anything there under any name: what is open to others or is a link stays.

    One without a lock is half removed, or a run will find that it has to make another.
    """
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / "alive.lock").touch()
    place = tmp_path / "tmp"
    for name, mode in (("dead", 0o700), ("open", 0o777), ("unlocked", 0o700)):
        folder = place / f"go-prefetch-run-{name}"
        folder.mkdir(parents=True)
        folder.chmod(mode)
        if name != "unlocked":
            (folder / "alive.lock").touch()
    (place / "go-prefetch-run-link").symlink_to(outside)
    (place / "go-prefetch-dead").mkdir()
    with temporary_folder(place) as alive:
        clear_temporary(place)
        assert {path.name for path in place.iterdir()} == {
            "go-prefetch-run-open", "go-prefetch-run-link", "go-prefetch-dead", alive.name,
        }  # fmt: skip
    assert not alive.exists()
    assert (outside / "alive.lock").exists()


@pytest.mark.system
@pytest.mark.skipif(sys.platform != "linux", reason="renameat2")
def test_leftovers_that_another_user_makes_lead_nowhere_else(bench: Workbench) -> None:
    """A folder becomes a link while it is removed: nothing that the link leads to goes or changes its mode."""
    cache, victim = bench.modcache / "cache", bench.folder / "victim"
    cache.mkdir(parents=True)
    cache.chmod(0o1777)
    victim.mkdir()
    victim.chmod(0o755)
    for number in range(50):
        (victim / f"{number}").touch()
    for folder in (bench.folder, *bench.folder.parents):
        folder.chmod(folder.stat().st_mode | 0o711)
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", EXCHANGER]
    for number in range(40):
        left = cache / f"go-prefetch-{number}"
        with subprocess.Popen([*other, str(left), str(victim)], stdout=subprocess.PIPE) as process:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            clear_leftovers(bench.modcache)
            process.kill()
        assert len(list(victim.iterdir())) == 50
        assert victim.stat().st_mode & 0o777 == 0o755


def test_folder_for_temporary_files_is_chosen_without_writing(tmp_path: Path) -> None:
    """The file that `tempfile` writes to find out would stay if the process were killed in this moment."""
    script = (
        "import os, sys, tempfile\n"
        "from go_prefetch.base.temporary_folder import choose_place\n"
        "choose_place(os.environ)\n"
        "sys.addaudithook(lambda event, _: print(event) if event == 'open' else None); print(tempfile.gettempdir())"
    )
    environ = {"TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]}
    said = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert said.stdout == f"{tmp_path}\n"
