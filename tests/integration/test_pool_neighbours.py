"""A pool that another user writes to while a run works with it."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.workbench import Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX links and users")

MODULES = tuple(FakeModule(f"example.com/lib{number}", "v1.0.0") for number in range(12))

# Waits for a temporary file in the pool, and plants links to the victim under the names that would come next if names
# were counted: for every file of the pool's modules, with the digits of the one it saw and the next hundred.
PLANTER = """
import os, re, sys
from pathlib import Path
pool, victim, stems = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
print("ready", flush=True)
planted = 0
while True:
    for folder, _, names in os.walk(pool):
        for name in names:
            found = re.search(r"\\.(?:zip|mod|info)([0-9]+)\\.tmp$", name)
            if not found or os.path.islink(os.path.join(folder, name)):
                continue
            digits = found[1]
            for number in range(1, 100):
                following = str(int(digits) + number).zfill(len(digits))
                for stem in stems:
                    for kind in ("zip", "mod", "info"):
                        try:
                            (pool / stem).parent.mkdir(parents=True, exist_ok=True)
                            os.symlink(victim, pool / f"{stem}.{kind}{following}.tmp")
                            planted += 1
                        except OSError:
                            pass
            if planted:
                print("planted", flush=True)
                sys.exit()
"""
LEDGER = """
import resource, sys
from pathlib import Path
from go_prefetch.stores.pool_metadata import PoolMetadata

assert PoolMetadata(Path(sys.argv[1]), "").baseline([]) is None
status = Path("/proc/self/status")
lines = [line.split() for line in status.read_text().splitlines()] if status.exists() else []
peaks = [1024 * int(line[1]) for line in lines if line[0] == "VmHWM:"]
print(*peaks or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])
"""
STRUCTURE = """
import resource, sys, threading
from pathlib import Path
from go_prefetch.modfiles.staging import structure_problem
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion

def look():
    with Path(sys.argv[1]).open("rb") as content:
        assert structure_problem(ModuleFile(ModuleVersion("a.b/c", "v1.0.0"), "zip"), content) == ""

threads = [threading.Thread(target=look) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
# On Linux ru_maxrss is that of the process that started this one, if it was larger.
status = Path("/proc/self/status")
lines = [line.split() for line in status.read_text().splitlines()] if status.exists() else []
peaks = [1024 * int(line[1]) for line in lines if line[0] == "VmHWM:"]
print(*peaks or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])
"""


@pytest.fixture
def ready(bench: Workbench) -> Workbench:
    bench.write_project(MODULES)
    return bench


def inodes(folder: Path) -> set[tuple[int, int]]:
    found = (path.lstat() for path in folder.rglob("*") if path.is_file())
    return {(seen.st_dev, seen.st_ino) for seen in found}


@pytest.mark.system
def test_link_under_the_next_temporary_name_is_not_followed(ready: Workbench) -> None:
    """A pool of many users: one without privileges must not make a run of root's write into root's files."""
    victim = ready.folder / "victim"
    victim.write_bytes(b"root's")
    victim.chmod(0o600)
    ready.pool.mkdir(parents=True)
    ready.pool.chmod(0o777)
    for folder in (ready.folder, *ready.folder.parents):
        folder.chmod(folder.stat().st_mode | 0o711)
    stems = [f"{module.path}/@v/v1.0.0" for module in MODULES]
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", PLANTER]
    process = subprocess.Popen([*other, str(ready.pool), str(victim), *stems], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # umask 0: the folders that the run makes in the pool are open to all, as in a pool of one group
        shell = ["sh", "-c", 'umask 0; exec "$@"', "sh", *ready.command, "run", "--store", f"dir:{ready.pool}"]
        with ModuleProxy(MODULES) as proxy:
            for _ in range(10):
                result = ready.program(shell, GOPROXY=proxy.url)
                assert result.status == 0, result.text
                assert victim.read_bytes() == b"root's"
                ready.forget_modcache()
                for path in ready.pool.rglob("v1.0.0.*"):
                    path.unlink()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("filled", ["by a restore", "by a save"])
def test_no_inode_is_shared_between_pool_and_module_cache(ready: Workbench, filled: str) -> None:
    """Go does not look again at what it has hashed; whoever may write to the pool could change it in place."""
    if filled == "by a restore":
        write_proxy_folder(ready.pool, MODULES)
    with ModuleProxy(MODULES) as proxy:
        assert ready.prefetch(goproxy=proxy.url).status == 0
    assert len(inodes(ready.pool)) >= 3 * len(MODULES)
    assert inodes(ready.pool) & inodes(ready.modcache) == set()
    for path in ready.pool.rglob("*.zip"):
        with path.open("r+b") as pooled:
            pooled.write(b"other bytes")
    assert ready.go("mod", "verify").stdout == "all modules verified\n"


def test_docker_output_shares_no_inode_with_the_pool(ready: Workbench) -> None:
    write_proxy_folder(ready.pool, MODULES)
    output = ready.run("docker", "--output", "gomod", "--store", f"dir:{ready.pool}", GOPROXY="off")
    assert output.status == 0, output.text
    assert inodes(ready.pool) & inodes(ready.project / "gomod") == set()


@pytest.mark.system
def test_leftovers_of_a_killed_save_are_cleared_by_the_next_run(ready: Workbench) -> None:
    """A file that is large enough to be seen while it is written."""
    big = FakeModule("example.com/big", "v1.0.0", files={"big.bin": os.urandom(32 << 20)})
    ready.write_project((*MODULES, big))
    with ModuleProxy((*MODULES, big)) as proxy:
        for _ in range(3):
            _kill_while_saving(ready, proxy.url)
        assert ready.prefetch(goproxy=proxy.url).status == 0
    assert list(ready.pool.rglob("*.tmp")) == []
    assert list(ready.pool.rglob("run-*")) == []
    assert list(ready.modcache.rglob("*.tmp")) == []
    assert list(ready.modcache.rglob("run-*")) == []


def _kill_while_saving(ready: Workbench, goproxy: str) -> None:
    """Kill a run while it writes to the pool. A busy machine may miss that moment, so it may take several runs."""
    for _ in range(20):
        process = ready.start("run", "--store", f"dir:{ready.pool}", GOPROXY=goproxy)
        while process.poll() is None:
            if any(ready.pool.rglob("*.tmp")):
                process.kill()
        process.communicate(timeout=30)
        if any(ready.pool.rglob("*.tmp")):
            return
        ready.go("clean", "-modcache")
        shutil.rmtree(ready.pool, ignore_errors=True)
    raise AssertionError("no run was killed while it wrote to the pool")


@pytest.mark.slow
@pytest.mark.nightly
def test_sixteen_large_zip_directories_take_little_memory(tmp_path: Path) -> None:
    """A directory of 16 MiB is the largest that is read; it takes many times as much while it is looked at."""
    directory = bytearray()
    count = 0
    while len(directory) < (16 << 20) - 100:
        name = b"a.b/c@v1.0.0/%x" % count
        directory += b"PK\1\2" + struct.pack("<6H3L5H2L", *(20, 20, 0, 0, 0, 33, 0, 0, 0, len(name)), *[0] * 6) + name
        count += 1
    ends = struct.pack("<4H2LH", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), 30, 0)
    (tmp_path / "large.zip").write_bytes(b"PK\3\4" + bytes(26) + directory + b"PK\5\6" + ends)
    del directory
    argv = [sys.executable, "-c", STRUCTURE, str(tmp_path / "large.zip")]
    peak = subprocess.run(argv, check=True, timeout=120, capture_output=True).stdout
    assert int(peak) < 300e6


@pytest.mark.slow
def test_notes_of_runs_with_other_files_take_no_memory(bench: Workbench) -> None:
    """Only one at a time: half a million short names each, which take many times as much as in the file."""
    notes = bench.pool / ".go-prefetch/runs"
    notes.mkdir(parents=True)
    for number in range(8):
        files = [f"{number}{name:x}" for name in range(440_000)]
        (notes / f"{number}.json").write_text(json.dumps({"seconds": 1, "files": files}, separators=(",", ":")))
    looked = bench.program([sys.executable, "-c", LEDGER, str(bench.pool)], cwd=bench.folder)
    assert int(looked.stdout) < 250 << 20, looked.text
