"""A full pool in a bucket behind a slow link, compared with one archive of the whole module cache there."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from archives import DECOMPRESS, TREE, Archives, make
from bucketserver import CURL, Link, reached_by
from commandline import conditions
from figures import Rows, ratios
from fleet_rig import DOWNLOAD, HERE, NO_NETWORK, Fleet, Noted, fleet
from hosted_rig import Part
from realproject import Project
from rig import Contender, by_other, check_same

TO_DISK, STREAMED = "a  tree to disk, untar", "b  tree, streamed"
OURS, FROM_FOLDER = "c  go-prefetch run, s3://", "d  go-prefetch run, dir:"
OTHER = "o  c by --other"
ARCHIVE = '"$GOMODCACHE/archive.tzst"'
UNPACK = f'tar -C "$GOMODCACHE" --use-compress-program={DECOMPRESS}'


def measure(options: argparse.Namespace, fetched: Project) -> Part:
    """Fill the bucket, then time all over each link."""
    tables: dict[str, Rows] = {}
    notes: dict[str, object] = {}
    with fleet(options, fetched) as place:
        archives = _fill(place, fetched)
        for link in links(options):
            with reached_by(place.server, link) as url:
                found, noted = _over(place, url, options)
            tables |= {f"{link.shown}: {title}": rows for title, rows in found.items()}
            notes[link.shown] = noted.reports
    told = {**conditions(options, fetched), "whole tree MB": round(archives.tree / 1e6, 1)}
    return Part(told, tables, notes)


def links(options: argparse.Namespace) -> list[Link]:
    """Return the links that were asked for, and one without limits."""
    return [*(Link(latency / 1e3, options.bucket_rate) for latency in options.latencies), Link()]


def contenders(place: Fleet, url: str, other: Path | None) -> list[Contender]:
    """Return a to d, and o if there is another checkout. None has a network besides the link."""
    tree = f"s3://{place.server.bucket}"
    get = f"{sys.executable} {HERE / 'objectget.py'} {tree} {TREE} {ARCHIVE}"
    stream = f'{CURL} "$AWS_ENDPOINT_URL/{place.server.bucket}/{TREE}"'
    ours = place.ours(OURS, url=url)
    all_ = [
        _shell(TO_DISK, f"{get}; {UNPACK} -xf {ARCHIVE}; rm {ARCHIVE}", place.server.environ(url)),
        _shell(STREAMED, f'{stream} | {DECOMPRESS} | tar -C "$GOMODCACHE" -x', place.server.environ(url)),
        ours,
        place.ours(FROM_FOLDER, store=f"dir:{place.rig.scratch / 'pool'}"),
        *([by_other(place.rig, ours, OTHER, other)] if other else []),
    ]
    return [replace(one, environ={**one.environ, **NO_NETWORK}) for one in all_]


def _fill(place: Fleet, fetched: Project) -> Archives:
    """Put the modules into the pool, the archive beside it, and a pool of the same files on this disk."""
    place.fill()
    archives = make(place.rig, fetched.proxy)
    place.server.put(TREE, place.rig.files / TREE)
    shutil.copytree(fetched.proxy, place.rig.scratch / "pool")
    return archives


def _over(place: Fleet, url: str, options: argparse.Namespace) -> tuple[dict[str, Rows], Noted]:
    """Time all over one link."""
    compared = contenders(place, url, options.other)
    place.rig.cpu.clear()
    seconds, noted = place.take_turns(compared, options.rounds)
    for label in noted.reports:
        noted.check(label, "exact")
    for other in compared[1:]:
        check_same(compared[0], other, noted.held)
    tables: dict[str, Rows] = {
        "seconds": seconds,
        "ratio of each round": ratios(seconds, "c/a", "c/b", "c/d", "c/o"),
        "steps of c": noted.steps(OURS),
        "CPU seconds": dict(place.rig.cpu),
        **noted.tables(),
    }
    return tables, noted


def _shell(label: str, script: str, environ: Mapping[str, str]) -> Contender:
    return Contender(label, [["bash", "-euo", "pipefail", "-c", script], DOWNLOAD], dict(environ))
