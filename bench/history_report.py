"""How long `go-prefetch report` takes over a long history, and how much memory: 5,000 runs, all but 200 logs kept.

    python bench/history_report.py [--runs 5000] [--new 200] [--latency 0.05]

The API is the tests' own (tests/support/fakes/github_api), with a latency before each answer; it runs in
this process, the report in one of its own. Prints seconds, peak memory and requests;
exits 1 where they pass 60 s or 200 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.fakes import records  # noqa: E402 - the fakes are not installed
from tests.support.fakes.github_api import payloads  # noqa: E402
from tests.support.fakes.github_api.server import GitHubApi  # noqa: E402

MOST_SECONDS, MOST_BYTES = 60.0, 200e6
NOISE = "2026-03-02T09:00:02.0000000Z ok  \texample.com/widget/internal/notes\t0.012s\r\n"


def main() -> int:
    """Fill the API, report once over the old runs, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--new", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer of the API")
    options = parser.parse_args()
    with GitHubApi() as api, tempfile.TemporaryDirectory() as folder:
        api.remaining = 10**6
        add_runs(api, options.runs - options.new, options.runs)
        report(api, folder)
        add_runs(api, options.runs, options.runs)
        api.latency = options.latency
        before = len(api.requests)
        seconds, peak, values = report(api, folder)
        print(f"{values['workflow_runs']['runs']} runs, {values['prefetching']['runs']} with a record")
        print(f"{len(api.requests) - before} requests of {options.latency * 1000:.0f} ms each")
        print(f"{seconds:.1f} s, {peak / 1e6:.0f} MB at its peak")
    return int(seconds > MOST_SECONDS or peak > MOST_BYTES)


def add_runs(api: GitHubApi, until: int, total: int) -> None:
    """Return runs up to number `until`, the last of `total` just now; each log has 2,000 lines besides its record."""
    now = datetime.now(timezone.utc)
    for number in range(len(api.runs) + 1, until + 1):
        api.runs.append(payloads.run(number, base=api.url, created=now - timedelta(minutes=5 * (total - number + 1))))
        log = records.log(records.line(seconds=number % 30)) + NOISE.encode() * 2000
        api.run_logs[number] = records.zipped({"test": log}) if number % 50 == 1 else api.run_logs[number - 1]


def report(api: GitHubApi, folder: str) -> tuple[float, float, dict[str, dict[str, int]]]:
    """Seconds, bytes at the peak, and the figures of one report in a process of its own."""
    argv = [sys.executable, "-m", "go_prefetch", "report", "--days", "90", "--format", "json", "--quiet"]
    out = Path(folder, "report.json")
    environ = {**os.environ, **api.environ(), "PYTHONPATH": str(ROOT / "src"), "XDG_CACHE_HOME": folder}
    started = time.perf_counter()
    process = os.posix_spawn(sys.executable, [*argv, "--output", str(out)], environ)
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit(f"the report failed with status {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - started, used.ru_maxrss * 1024.0, json.loads(out.read_text())


if __name__ == "__main__":
    sys.exit(main())
