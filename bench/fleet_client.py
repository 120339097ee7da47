"""A client of a pool in a bucket: restores all modules of the project in its folder, again and again, and times it.

    cd PROJECT && python bench/fleet_client.py pool s3://BUCKET/go 3 SCRATCH [whole]
    cd PROJECT && python bench/fleet_client.py archive s3://BUCKET/NAME 3 SCRATCH [whole]
    cd PROJECT && GOMODCACHE=FULL python bench/fleet_client.py make FILE

`pool` takes go-prefetch's own pool, whatever it has for this key; `archive` an entry archive of all files, which
`make` writes. Every byte comes in through go-prefetch's own checks. With `whole`, Go verifies and unpacks
meanwhile, and `go mod download` ends the job as in a run; without, a job ends when the last file has its name.
It prints a line when it could begin, waits for a line, and then prints seconds, files and bytes of each job as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.base.trees import remove_trees
from go_prefetch.config.settings import Settings, read_settings
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import Wanted
from go_prefetch.model.progress import Meter
from go_prefetch.run.shared_pool import storage
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.stores.cache_service.compression import best_encoding
from go_prefetch.stores.cache_service.module_archive import read_archive, write_archive
from go_prefetch.stores.objects.pool import ObjectPool
from go_prefetch.verification.quarantine import Quarantine

LIMIT = 900.0  # seconds
MOST = 4 << 30  # bytes of an archive
ENCODING = best_encoding(os.environ)
Arrived = Callable[[ModuleFile], None]


def settings_of(store: str) -> Settings:
    """Return the settings of a run with this store."""
    return read_settings({"store": store}, {}, Path.cwd())


def take_pool(store: str, plan: Plan, arrived: Arrived, deadline: Deadline) -> None:
    """Restore from the pool."""
    connect = partial(storage, settings_of(store), os.environ)
    pool = ObjectPool(store, connect, ENCODING, proxies="", not_saved=None)
    restored = pool.restore(Wanted(plan.key, plan.missing, plan.folder), deadline, arrived)
    if restored.warnings:
        sys.exit(str(restored.warnings))


def take_archive(store: str, plan: Plan, arrived: Arrived, deadline: Deadline) -> None:
    """Restore from one object, which is unpacked as it arrives."""
    url, _, name = store.rpartition("/")
    objects, by_name = storage(settings_of(url), os.environ), {file.name: file for file in plan.missing}
    source, sink = os.pipe()

    def fetch() -> None:
        with os.fdopen(sink, "wb") as out:
            objects.get(name, out, MOST, deadline)

    threading.Thread(target=fetch, daemon=True).start()
    with os.fdopen(source, "rb") as archive:
        found = read_archive(
            archive, ENCODING, folder=plan.folder, deadline=deadline, arrived=arrived, choose=lambda _: by_name
        )
    if found:
        sys.exit(str(found))


TAKE = {"pool": take_pool, "archive": take_archive}


def job(kind: str, store: str, scratch: Path, *, whole: bool) -> tuple[float, int, int]:
    """Do one job in an empty module cache. Return its seconds, files and bytes."""
    module_cache = Path(tempfile.mkdtemp(dir=scratch, prefix="client-"))
    environment = replace(GoCommand(os.environ).environment(Path.cwd()), gomodcache=module_cache)
    plan = make_plan(settings_of(store), environment, ModuleFolder.of_cache(module_cache))
    came: list[ModuleFile] = []
    deadline = Deadline.after(LIMIT)
    started = time.perf_counter()
    if whole:
        with Quarantine(plan, environment, deadline) as unpacked:

            def arrived(file: ModuleFile) -> None:
                came.append(file)
                unpacked.take(file)

            TAKE[kind](store, plan, arrived, deadline)
            unpacked.admit(Meter("Verify"))
        environ = {**os.environ, "GOPROXY": "off", "GOMODCACHE": str(module_cache)}
        subprocess.run(["go", "mod", "download"], check=True, env=environ)
    else:
        TAKE[kind](store, plan, came.append, deadline)
    seconds = time.perf_counter() - started
    size = sum(plan.folder.size_if_there(file) for file in came)
    remove_trees(module_cache)
    return seconds, len(came), size


def make(file: Path) -> None:
    """Write the archive of all files of the plan that the module cache has."""
    environment = GoCommand(os.environ).environment(Path.cwd())
    full = ModuleFolder.of_cache(environment.gomodcache)
    with tempfile.TemporaryDirectory() as nothing:
        plan = make_plan(settings_of("none"), environment, ModuleFolder.of_cache(Path(nothing)))
    with file.open("wb") as out:
        write_archive(out, full, [one for one in plan.missing if full.has(one)], ENCODING)


def main() -> None:
    """Do what the arguments say."""
    kind, store, *rest = sys.argv[1:]
    if kind == "make":
        make(Path(store))
        return
    number, scratch, whole = int(rest[0]), Path(rest[1]), rest[2:] == ["whole"]
    print("ready", flush=True)
    sys.stdin.readline()
    with contextlib.redirect_stdout(sys.stderr):
        done = [job(kind, store, scratch, whole=whole) for _ in range(number)]
    print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
