"""A pool of build entries and the system: a killed process, a full disk, a disk that may only be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.build_entries import build_key, entry_paths, found_key, save_entry

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from go_prefetch.errors import StoreError
from tests.support.build_entries import ENCODING, NO_LIMIT, build_key, save_entry
from go_prefetch.stores.cache_service.entry_folder import folder_connection

pool = Path(sys.argv[1])
if sys.argv[2] == "hang":
    upload = folder_connection(pool, ENCODING).service.reserve(build_key(1), NO_LIMIT)
    upload.put(0, 0, bytes(100_000), NO_LIMIT)
    print("ready", flush=True)
    sys.stdin.read()
try:
    save_entry(pool, build_key(2), bytes(20_000_000))
except StoreError as error:
    print(error.slug)
print(*(path.name for path in (pool / ".go-prefetch" / "entries").glob("*.tmp")))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_upload_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    pool = tmp_path / "pool"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(pool), "hang"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
        writer.kill()
    files = {path for path in pool.rglob("*") if path.is_file()}
    assert len([path for path in files if path.suffix == ".tmp"]) == 1
    assert found_key(pool, build_key(1)) is None
    save_entry(pool, build_key(2))
    assert not [path for path in files if path.exists()]
    assert len(entry_paths(pool)) == 1


@pytest.mark.system
@pytest.mark.parametrize(
    "mount",
    ['mount -t tmpfs -o size=8m none "$AT"', 'mount --bind "$AT" "$AT" && mount -o remount,ro,bind "$AT"'],
    ids=["full", "read-only"],
)
def test_pool_that_takes_no_entry_is_a_store_error(tmp_path: Path, mount: str) -> None:
    """No half entry is left."""
    namespace = ["unshare", "--map-root-user", "--mount"]
    try:
        subprocess.run([*namespace, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no mount namespace can be made here: {error}")
    save_entry(tmp_path, build_key(1))
    program = [sys.executable, "-c", WRITER, str(tmp_path), "save"]
    script = f'{mount} || exit 99; exec "$@"'
    done = subprocess.run(
        [*namespace, "sh", "-c", script, "sh", *program], cwd=ROOT, env={**os.environ, "AT": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split("\n") == ["store-unwritable", "", ""], done.stderr
    assert len(entry_paths(tmp_path)) == 1
