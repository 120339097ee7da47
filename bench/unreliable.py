"""Jobs whose cache service fails in a fifth of all requests: each must end well, and within its deadlines."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cacheservice import Job, Traffic, Unreliable, running
from commandline import add_cache_dir
from realproject import BenchError, Project, fetch
from rig import Rig, environment, scratch_folder

LIMITS = {"restore-deadline": 20, "save-deadline": 20, "stall-timeout": 2, "attempts": 4}  # seconds, but for attempts
SLACK = 30  # seconds for all that waits for no service: Go, the plan, a machine with other work

EPILOG = """\
For each seed a server of its own draws what befalls each request: 403, 404, 429, 500, 503, a reset, silence, half a
body and then the end or silence, half some JSON, a web page. Two jobs with an empty module cache each: both must exit
0, leave a module cache that `GOPROXY=off go mod download` finds complete and `go mod verify` finds right, and take no
longer than their deadlines allow. The proxy is a folder that has everything.

examples:
  bench/unreliable.py                       seeds 1 to 100
  bench/unreliable.py --seeds 7 7           one of them again
  bench/unreliable.py --share 0.5
"""


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add(
        "module",
        nargs="?",
        default="github.com/labstack/echo/v4@v4.13.3",
        help="project, as PATH@VERSION (%(default)s)",
    )
    add("--seeds", type=int, nargs=2, default=(1, 100), metavar=("FIRST", "LAST"), help="(1 100)")
    add("--share", type=float, default=0.2, help="of all requests that fail (%(default)s)")
    add("--at-once", type=int, default=os.cpu_count() or 1, metavar="N", help="seeds tried at a time (%(default)s)")
    add_cache_dir(parser)
    return parser.parse_args()


def tried(fetched: Project, seed: int, share: float, scratch: Path) -> tuple[list[str], list[float]]:
    """Run two jobs with one seed; return what the store did for each, and their seconds. Raises BenchError."""
    folder = scratch / str(seed)
    project = Path(shutil.copytree(fetched.folder, folder / "project"))
    results, seconds = [], []
    with running(folder, Traffic(), Unreliable(share, seed)) as service:
        rig = Rig(project, service.url, environment("off", service.authority), folder, folder)
        flags = [f"--{name}={value}" + ("" if name == "attempts" else "s") for name, value in LIMITS.items()]
        for number in (1, 2):
            with rig.module_cache() as module_cache:
                job = Job(folder / "runner", service.url, number).environ()
                command = [sys.executable, "-m", "go_prefetch", "run", "--store", "github", *flags]
                command += ["--goproxy", f"file://{fetched.proxy}", "--report-file", str(folder / "run.json")]
                started = time.monotonic()
                rig.run(command, {**job, "GOMODCACHE": str(module_cache)})
                seconds.append(time.monotonic() - started)
                rig.run(["go", "mod", "download"], {"GOMODCACHE": str(module_cache), "GOPROXY": "off"})
                rig.run(["go", "mod", "verify"], {"GOMODCACHE": str(module_cache), "GOPROXY": "off"})
            told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            results.append(told["outputs"]["cache-result"] + (", saved" if told["save"]["key"] else ""))
    shutil.rmtree(folder)
    if max(seconds) > LIMITS["restore-deadline"] + LIMITS["save-deadline"] + SLACK:
        raise BenchError(f"seed {seed}: {max(seconds):.1f} s are more than the deadlines allow")
    return results, seconds


def main() -> None:
    """Try all seeds; print how the jobs ended."""
    options = parse_arguments()
    first, last = options.seeds
    ended: Counter[str] = Counter()
    all_seconds: list[float] = []
    failed = []
    try:
        fetched = fetch(options.module, options.cache_dir.expanduser().resolve())
        where = scratch_folder(fetched.count()[1] * options.at_once)
        with tempfile.TemporaryDirectory(dir=where, prefix="go-prefetch-bench-") as temporary:
            scratch = Path(temporary).resolve()

            def attempt(seed: int) -> None:
                try:
                    results, seconds = tried(fetched, seed, options.share, scratch)
                except (BenchError, subprocess.SubprocessError) as error:
                    failed.append(seed)
                    print(f"seed {seed}: {error}", file=sys.stderr)
                    return
                ended.update(f"job {number}: {result}" for number, result in enumerate(results, 1))
                all_seconds.extend(seconds)
                print(f"seed {seed}: {'; '.join(results)}", file=sys.stderr)

            with ThreadPoolExecutor(options.at_once) as threads:
                list(threads.map(attempt, range(first, last + 1)))
    except (BenchError, subprocess.SubprocessError) as error:
        sys.exit(f"bench/unreliable.py: {error}")
    for result, count in sorted(ended.items()):
        print(f"{result:<30}{count:>5}")
    if all_seconds:
        print(f"seconds of a job: least {min(all_seconds):.1f}, most {max(all_seconds):.1f}")
    print(f"{last - first + 1 - len(failed)} of {last - first + 1} seeds ended well")
    if failed:
        sys.exit(f"bench/unreliable.py: failed: {sorted(failed)}")


if __name__ == "__main__":
    main()
