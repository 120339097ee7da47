"""How long `go-prefetch run` takes at a proxy with a limit of requests per second, beside what the limit allows."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.fakes.module_proxy import ModuleProxy, RequestLimit
from tests.support.fakes.modules import FakeModule, write_project

EPILOG = """\
The proxy has a token bucket that is as large as the rate, and does not count what it refuses. Each limit is tried
with `Retry-After` and without. A run must succeed, and take at most 1.3 times what the limit allows plus 3 s.

examples:
  bench/limits.py                       5, 10 and 20 requests per second, and no limit
  bench/limits.py --limits 2 --modules 20
  bench/limits.py --limits 0 --rounds 10 --other /elsewhere/src
"""
MOST_TIMES, MOST_MORE = 1.3, 3.0


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG, formatter_class=argparse.RawTextHelpFormatter)
    add = parser.add_argument
    add("--limits", type=float, nargs="+", default=[0, 5, 10, 20], metavar="N", help="requests per second; 0: no limit")
    add("--modules", type=int, default=60, metavar="N", help="three files each (%(default)s)")
    add("--latency", type=float, default=0.02, metavar="SECONDS", help="before each response (%(default)s)")
    add("--rounds", type=int, default=1, metavar="N", help="(%(default)s)")
    add("--other", type=Path, metavar="SRC", help="run the go_prefetch in this folder in turn with ours")
    return parser.parse_args()


def timed(goproxy: str, project: Path, source: Path | None) -> tuple[float, bool]:
    """Return the seconds of a run, and whether it succeeded."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        go = {"GOENV": "off", "GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw", "GOMODCACHE": folder}
        if source:
            kept["PYTHONPATH"] = str(source.resolve())
        command = [sys.executable, "-m", "go_prefetch", "run", "--store", "none", "--quiet", "--goproxy", goproxy]
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=project, env={**kept, **go}, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        return time.perf_counter() - started, done.returncode == 0


def measured(options: argparse.Namespace, rate: float, *, retry_after: bool, source: Path | None) -> bool:
    """Print a line for one run; return whether it kept to what is allowed."""
    modules = [FakeModule(f"example.com/m{number}", "v1.0.0") for number in range(options.modules)]
    with ModuleProxy(modules, latency=options.latency) as proxy, tempfile.TemporaryDirectory() as project:
        write_project(Path(project), modules)
        proxy.limit = RequestLimit(rate, retry_after=retry_after) if rate else None
        seconds, is_green = timed(proxy.url, Path(project), source)
        refused = sum(request.status_or_fault == 429 for request in proxy.requests)
    files = 3 * len(modules)
    ideal = max(0.0, (files - rate) / rate) if rate else 0.0
    most = MOST_TIMES * ideal + MOST_MORE
    limit = f"{rate:g} per second, {'with' if retry_after else 'without'} Retry-After" if rate else "none"
    print(
        f"{'other: ' if source else ''}limit {limit}: {seconds:.1f} s for {files} files, {refused} refused, "
        f"{'green' if is_green else 'RED'}" + (f"; allowed: {ideal:.1f} s, at most {most:.1f} s" if rate else ""),
        flush=True,
    )
    return bool(source) or (is_green and (not rate or seconds <= most))


def main() -> None:
    """Try all limits."""
    options = parse_arguments()
    sources = [None, options.other] if options.other else [None]
    kept = [
        measured(options, rate, retry_after=retry_after, source=source)
        for rate in options.limits
        for _ in range(options.rounds)
        for retry_after in ((True, False) if rate else (False,))
        for source in sources
    ]
    if not all(kept):
        raise SystemExit("bench/limits.py: a run failed, or took longer than is allowed")


if __name__ == "__main__":
    main()
