"""What a cache stores over a project's real history: full entries and deltas, beside a cache with an exact key."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from cacheservice import CacheService, Job, Traffic, running
from commandline import add_cache_dir
from go_prefetch.base.retry import Deadline
from go_prefetch.config.settings import read_settings
from go_prefetch.errors import StoreError
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.model.ports import CacheStore, Saving, Wanted
from go_prefetch.model.progress import Meter
from go_prefetch.run.steps.download import download
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.run.wiring import begin_budget, cache_store, proxy_list, proxy_walk
from go_prefetch.stores.cache_service.endpoint import find_endpoint
from realproject import BenchError

HUGO = "github.com/gohugoio/hugo"
RELEASES = Path(__file__).resolve().parent / "hugo_releases.txt"
LONG = 3600.0  # seconds: nothing here is measured by the clock
FLAGS = {"store": "github", "jobs": "16"}

EPILOG = """\
The releases of a module, from its module proxy, in order: each is a job whose go.sum that is, on a machine with an
empty module cache. Its planned files are restored from the cache service by go-prefetch's own store, what is missing is
taken from the proxy's files, and the same store saves what it finds worth saving. Nothing is simulated but Go's
verdict: the service is tests/support/fakes/cache_service, its entries are the ones that are counted.

  exact key       one entry with all zips for each go.sum, as actions/cache and setup-go store it
  restore keys    the same, with what the newest older entry had restored on top: it only grows
  go-prefetch     full entries and deltas

The first call fetches the releases and their modules from your GOPROXY and keeps go.mod, go.sum and the modules' files;
later ones reach no network. It needs Go, and zstd for the encoding that hosted runners have.

examples:
  bench/history.py                                    hugo, the first 30 of bench/hugo_releases.txt
  bench/history.py --releases 97                      all of them
  bench/history.py --since v0.123.4 --releases 60 --json history.json
  bench/history.py github.com/caddyserver/caddy/v2 --since v2.6.0
  bench/history.py --versions v0.123.4,v0.123.5,v0.123.6
"""


@dataclass(frozen=True)
class Step:
    """One release: its zips and their bytes, as the proxy has them; what was stored for it by each way."""

    version: str
    zips: int
    bytes: int
    exact: tuple[int, int]  # zips, bytes
    restore_keys: tuple[int, int]
    ours: tuple[int, int]
    entry: str  # full, delta, or nothing
    entry_bytes: int  # as the service has it


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("module", nargs="?", default=HUGO, help="module path (%(default)s)")
    add("--since", metavar="VERSION", help="from this release on, as the module proxy lists them (proxies differ)")
    add("--releases", type=int, default=30, metavar="N", help="how many of them, in order (%(default)s)")
    add("--versions", type=lambda text: text.split(","), metavar="V,V,…", help="just these releases, oldest first")
    add_cache_dir(parser)
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    parsed = parser.parse_args(arguments)
    if not parsed.versions and not parsed.since:
        if parsed.module != HUGO:
            parser.error("--since or --versions: which releases?")
        known = [line for line in RELEASES.read_text().split("\n") if line.startswith("v")]
        parsed.versions = known[: parsed.releases]
    return parsed


def releases(options: argparse.Namespace, folder: Path) -> list[Path]:
    """Return a folder with go.mod and go.sum for each release, the oldest first; fetched unless an earlier call did."""
    versions = options.versions or listed(options.module, options.since)[: options.releases]
    chosen = [folder / version for version in versions]
    missing = [kept for kept in chosen if not kept.is_dir()]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda kept: take_sums(options.module, kept), missing))
    return chosen


def listed(module: str, since: str) -> list[str]:
    """Return the releases that the proxy lists, from `since` on."""
    versions = [word for word in go("list", "-m", "-versions", module).split()[1:] if "-" not in word]
    if since not in versions:
        raise BenchError(f"{module} has no release {since}")
    return versions[versions.index(since) :]


def take_sums(module: str, kept: Path) -> None:
    """Download one release and keep its go.mod and go.sum."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".fetch-") as temporary:
        told = go("mod", "download", "-json", f"{module}@{kept.name}", GOMODCACHE=temporary, GOFLAGS="-modcacherw")
        whole = Path(temporary) / "sums"
        whole.mkdir()
        with zipfile.ZipFile(json.loads(told)["Zip"]) as archive:
            for name in ("go.mod", "go.sum"):
                (whole / name).write_bytes(archive.read(f"{module}@{kept.name}/{name}"))
        whole.rename(kept)
    print(f"fetched {module}@{kept.name}", file=sys.stderr)


def go(*arguments: str, **variables: str) -> str:
    """Return what go prints, run outside of any module."""
    with tempfile.TemporaryDirectory() as nowhere:
        environ = {**os.environ, "GOWORK": "off", "GOTOOLCHAIN": "local", **variables}
        done = subprocess.run(["go", *arguments], cwd=nowhere, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(
            f"go {' '.join(arguments[:4])} ended with status {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def plan_of(release: Path, folder: Path) -> Plan:
    """Return what a run for this release plans, `folder` being the module cache's download folder."""
    settings = read_settings(FLAGS, os.environ, release)
    return make_plan(settings, GoCommand(os.environ).environment(release), ModuleFolder.at(folder))


def fetch_modules(release: Path, pool: Path) -> None:
    """Bring the planned files of a release into the pool, as a run downloads them."""
    plan, settings = plan_of(release, pool), read_settings(FLAGS, os.environ, release)
    proxies = proxy_list(settings, GoCommand(os.environ).environment(release).goproxy)
    budget = replace(begin_budget(settings), deadline=Deadline.after(LONG))
    brought = download(
        plan.missing, proxy_walk(settings, proxies, budget), ModuleFolder.at(pool), meter=Meter("Download")
    )
    failed = [str(failure.file) for failure in brought.failures if failure.file.kind == "zip"]
    if failed:
        raise BenchError(f"{release.name}: not to be had: {', '.join(failed[:5])}")
    print(f"{release.name}: {len(brought.files)} of {len(plan.files)} files were new", file=sys.stderr)


def store_of(service: CacheService, release: Path, number: int, scratch: Path) -> CacheStore:
    """Return the store as a job on a hosted runner has it."""
    settings = read_settings(FLAGS, os.environ, release)
    endpoint = find_endpoint(Job(scratch / "runner", service.url, number).environ())
    return cache_store(settings, proxy_list(settings, "off"), endpoint, os.environ)


def replay(release: Path, number: int, pool: Path, service: CacheService, scratch: Path) -> tuple[Plan, set[str], str]:
    """Run one job's restore and save; return its plan, the zips in the new entry, and its key."""
    with tempfile.TemporaryDirectory(dir=scratch) as temporary:
        plan = plan_of(release, Path(temporary) / "download")
        store, deadline = store_of(service, release, number, scratch), Deadline.after(LONG)
        restored = store.restore(Wanted(plan.key, plan.missing, plan.folder), deadline, lambda _: None)
        if restored.warnings:
            raise BenchError(f"{release.name}: {restored.warnings}")
        source = ModuleFolder.at(pool)
        lacked = [file for file in plan.missing if file not in restored.files and source.has(file)]
        for file in lacked:
            plan.folder.path_of(file).parent.mkdir(parents=True, exist_ok=True)
            os.link(source.path_of(file), plan.folder.path_of(file))
        if not lacked:
            return plan, set(), ""
        none: frozenset[ModuleFile] = frozenset()
        saving = Saving(plan.key, plan.folder, lacked, sorted(restored.files), restored.entry, none, none, None)
        saved = store.save(saving, deadline, Meter("Save"))
        every = {file.name for file in (*lacked, *restored.files) if file.kind == "zip"}
        below = restored.entry.full_files if restored.entry and "-delta-" in saved.key else frozenset()
        return plan, every - below if saved.key else set(), saved.key


def story(chosen: list[Path], pool: Path, scratch: Path) -> list[Step]:
    """Replay all releases in order."""
    steps: list[Step] = []
    keys: set[str] = set()
    snowball: set[str] = set()
    (scratch / "blobs").mkdir()
    with running(scratch, Traffic(), folder=scratch / "blobs", has_limits=False) as service:
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(service.authority)
        for number, release in enumerate(chosen, 1):
            plan, stored, key = replay(release, number, pool, service, scratch)
            names = {file.name for file in plan.files if file.kind == "zip"}
            is_new = plan.key.text not in keys
            keys.add(plan.key.text)
            snowball |= names

            def weighed(zips: set[str]) -> tuple[int, int]:
                return len(zips), sum((pool / name).stat().st_size for name in zips)

            nothing = (0, 0)
            kept = {entry["key"]: entry["bytes"] for entry in service.entries()}
            kind = "-" if not key else "delta" if "-delta-" in key else "full"
            step = Step(
                release.name, *weighed(names), weighed(names) if is_new else nothing,
                weighed(snowball) if is_new else nothing, weighed(stored), kind, kept.get(key, 0),
            )  # fmt: skip
            steps.append(step)
            print(f"{step.version}: {kind}, {step.ours[0]} of {step.zips} zips", file=sys.stderr)
    return steps


def report(module: str, steps: list[Step], target: Path | None) -> None:
    """Print a line a release and the comparison; write them as JSON if asked."""
    head = ("release", "zips", "MB", "entry", "its zips", "their MB", "as stored")
    print(f"{module}, {len(steps)} releases\n\n" + " ".join(f"{word:>9}" for word in head))
    for step in steps:
        planned, stored = f"{step.bytes / 1e6:.1f}", f"{step.ours[1] / 1e6:.1f}"
        row = (step.version, step.zips, planned, step.entry, step.ours[0], stored, f"{step.entry_bytes / 1e6:.1f}")
        print(" ".join(f"{value!s:>9}" for value in row))
    fields = {"exact key": "exact", "restore keys": "restore_keys", "go-prefetch": "ours"}
    sums = {name: [sum(getattr(step, field)[part] for step in steps) for part in (0, 1)]
            for name, field in fields.items()}  # fmt: skip
    print(f"\n{'stored in all':<16}{'zips':>9}{'MB':>11}{'zips, of exact key':>22}{'bytes, of exact key':>22}")
    for name, (zips, size) in sums.items():
        shares = f"{zips / sums['exact key'][0]:>22.3f}{size / sums['exact key'][1]:>22.3f}"
        print(f"{name:<16}{zips:>9}{size / 1e6:>11.1f}{shares}")
    encoded = sum(step.entry_bytes for step in steps)
    print(
        f"\nThe entries of go-prefetch as the service has them, zips stored in a zstd stream: {encoded / 1e6:.1f} MB."
    )
    if target:
        values = {"module": module, "steps": [vars(step) for step in steps], "sums": sums, "entry bytes": encoded}
        target.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Fetch the history, replay it, report."""
    options = parse_arguments()
    folder = options.cache_dir.expanduser().resolve() / "history" / options.module.replace("/", "_")
    try:
        chosen = releases(options, folder)
        for release in chosen:
            fetch_modules(release, folder / "pool")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".scratch-") as scratch:
            steps = story(chosen, folder / "pool", Path(scratch))
    except (BenchError, StoreError, subprocess.SubprocessError) as failed:
        sys.exit(f"bench/history.py: {failed}")
    report(options.module, steps, options.json)


if __name__ == "__main__":
    main()
