"""Three layouts of a pool in a bucket: what a job takes from each, and how many jobs at once one server serves."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass

from tests.support.servers.process import request

from bucketserver import BucketServer, Link, reached_by
from commandline import conditions
from figures import Rows
from fleet_rig import HERE, NO_NETWORK, Fleet, fleet
from fleet_warm import links
from go_prefetch.base.percentile import percentile
from hosted_rig import Part
from realproject import BenchError, Project

CLIENT = [sys.executable, str(HERE / "fleet_client.py")]
ARCHIVE = "whole-archive"
SINGLE, BUNDLE, WHOLE = "single objects alone", "with a bundle", "one archive"


@dataclass(frozen=True)
class Layout:
    """A layout, in a bucket of its own."""

    label: str
    kind: str  # of bench/fleet_client.py
    server: BucketServer
    store: str


def measure(options: argparse.Namespace, fetched: Project) -> Part:
    """Make the layouts; one client over each link, then more and more of them without any limit."""
    tables: dict[str, Rows] = {}
    with fleet(options, fetched) as place:
        layouts = make(place)
        for link in links(options):
            with reached_by(place.server, link) as url:
                jobs = {"whole job": (1, "whole"), "restore": (1, "")} if link != Link() else {}
                for clients in options.clients if link == Link() else ():
                    jobs[f"{clients} at once"] = clients, ""
                for name, (clients, whole) in jobs.items():
                    tables[f"{link.shown}: {name}"] = measure_load(place, layouts, url, clients, options.rounds, whole)
    return Part(conditions(options, fetched), tables, {})


def make(place: Fleet) -> list[Layout]:
    """Fill a bucket for each layout."""
    single, bundled, archived = (place.server.new_bucket() for _ in range(3))
    for bucket in (single, bundled):
        Fleet(place.rig, bucket).fill()
    bundles = single.server.object_path(single.bucket, "go/.go-prefetch/bundles")
    if request("DELETE", f"{bundles}?recursive=true")[0] != 204:
        raise BenchError("the bundle was not there")
    archive = place.rig.scratch / ARCHIVE
    with place.rig.module_cache() as module_cache:
        environ = {"GOMODCACHE": str(module_cache), "GOPROXY": f"file://{place.rig.scratch / 'proxy'}"}
        place.rig.run([sys.executable, "-m", "go_prefetch", "run", "--store", "none", "--quiet"], environ)
        place.rig.run([*CLIENT, "make", str(archive)], environ)
    archived.put(ARCHIVE, archive)
    return [
        Layout(SINGLE, "pool", single, single.store),
        Layout(BUNDLE, "pool", bundled, bundled.store),
        Layout(WHOLE, "archive", archived, f"s3://{archived.bucket}/{ARCHIVE}"),
    ]


def measure_load(place: Fleet, layouts: list[Layout], url: str, clients: int, rounds: int, whole: str) -> Rows:
    """Let so many clients do `rounds` jobs each at the same time, with each layout."""
    found: list[tuple[str, str, list[float]]] = []
    files: set[int] = set()
    for layout in layouts:
        before = layout.server.counts()
        started, done = at_once(place, layout, url, clients, rounds, whole)
        passed, counts = time.perf_counter() - started, layout.server.counts() - before
        seconds = [one[0] for one in done]
        files |= {int(one[1]) for one in done}
        for title, values in (
            ("seconds", seconds),
            ("p95 seconds", list(filter(None, [percentile(seconds, 95)]))),
            ("jobs per second", [len(done) / passed]),
            ("requests", [counts.requests.total() / len(done)]),
            ("MB", [counts.sent / 1e6 / len(done)]),
        ):
            found.append((title, layout.label, values))
        print(
            f"{clients} clients: {layout.label}: {max(seconds):.2f} s (load {os.getloadavg()[0]:.1f})", file=sys.stderr
        )
    if len(files) != 1:
        raise BenchError(f"the layouts brought different numbers of files: {files}")
    titles = list(dict.fromkeys(title for title, _, _ in found))
    return {f"{title}: {label}": values for wanted in titles for title, label, values in found if title == wanted}


def at_once(
    place: Fleet, layout: Layout, url: str, clients: int, rounds: int, whole: str
) -> tuple[float, list[list[float]]]:
    """Start the clients, let them begin together, and wait. Return when they began, and what they say of each job."""
    command = [*CLIENT, layout.kind, layout.store, str(rounds), str(place.rig.scratch), *filter(None, [whole])]
    environ = {**place.rig.environ, **layout.server.environ(url), **NO_NETWORK}
    with ExitStack() as ending:
        running = [
            ending.enter_context(
                subprocess.Popen(
                    command,
                    cwd=place.rig.project,
                    env=environ,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(clients)
        ]
        for one in running:
            assert one.stdout
            one.stdout.readline()
        started = time.perf_counter()
        for one in running:
            assert one.stdin
            one.stdin.write("\n")
            one.stdin.flush()
        answers = [one.communicate()[0] for one in running]
    if any(one.returncode for one in running):
        raise BenchError(f"a client of {layout.label!r} failed")
    return started, [done for answer in answers for done in json.loads(answer)]
