"""The restore of one large entry: seconds, and memory."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from buildcache_rig import Place, Release, place
from commandline import machine
from figures import Rows, ratios
from gocache import add_copies, files_of, size_of
from hosted_rig import Part
from officialclient import OfficialClient
from realproject import BenchError
from rig import by_other, taken

OFFICIAL, OURS, OTHER = "a  official client, restoreCache", "b  build-cache restore", "o  b by --other"
NAME = "large"
KEY = "whole-gocache"
WITHIN = 0.15  # of the wanted size


def measure(options: argparse.Namespace, client: OfficialClient, chosen: Sequence[Release]) -> Part:
    """Save a large GOCACHE, then restore it in turns into an empty one; check that nothing is missing."""
    with place(options, client) as where:
        where.clear()
        where.check_out(chosen[0])
        where.rig.measure(where.ours("restore", NAME, 1), where.modules)
        made = enlarge(where, options.stored)
        where.rig.measure(where.ours("save", NAME, 1), where.modules)
        where.rig.measure(where.official("save", client.command("save", KEY)), where.build_cache)
        wanted = contents(where.build_cache)
        sizes = [entry["bytes"] / 1e6 for entry in where.service.entries()]
        if len(sizes) != 2 or abs(sizes[0] / options.stored - 1) > WITHIN:
            raise BenchError(f"{options.stored} MB were wanted, the entries have {sizes} MB")
        where.rig.cpu.clear()
        taken(where.rig.scratch / "peak.json")  # of the save
        seconds, peaks, children = rounds(where, options, wanted)
        cpu = dict(where.rig.cpu)
    found: dict[str, Rows] = {
        "seconds": seconds,
        "ratio of each round": ratios(seconds, "b/a", "b/o"),
        "CPU seconds, user and system": cpu,
        "peak MB of our Python": peaks,
        "peak MB of its largest child": children,
    }
    told = {"stored MB, ours": round(sizes[0], 1), "stored MB, whole": round(sizes[1], 1), **made}
    traffic = {name: getattr(options, name) for name in ("latency", "stream_rate", "link_rate")}
    return Part({**told, **traffic, **machine()}, found, {})


def enlarge(where: Place, stored: float) -> dict[str, object]:
    """Fill GOCACHE by a build, then with copies under other ids until it is that many MB large as an archive."""
    where.build("fill", {})
    folder = where.build_cache
    real = size_of(files_of(folder))
    ratio = archived(folder) / real
    add_copies(folder, int(stored * 1e6 / ratio) - real)
    files = files_of(folder)
    return {"files": len(files), "MB of files": round(size_of(files) / 1e6), "of a real build": round(real / 1e6)}


def archived(folder: Path) -> int:
    """Return about the bytes of an entry of ours with this folder."""
    pipe = f"tar --sort=name -C {folder} -cf - . | zstd -3 --long=27 -c | wc -c"
    return int(subprocess.run(["sh", "-c", pipe], check=True, capture_output=True, text=True).stdout)


def contents(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file of Go's."""
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in files_of(folder)}


def rounds(
    where: Place, options: argparse.Namespace, wanted: Mapping[str, str]
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, list[float]]]:
    """Time all in turn; return seconds, and the peak memory of our Python and of what it starts."""
    seconds: dict[str, list[float]] = {}
    peaks: dict[str, list[float]] = {}
    children: dict[str, list[float]] = {}
    for number in range(options.rounds):
        for label in _in_turn([OFFICIAL, OURS, *([OTHER] if options.other else [])], number):
            where.clear()
            spent = _restored(where, label, options)
            seconds.setdefault(label, []).append(spent)
            print(f"round {number + 1}: {label}: {spent:.2f} s", file=sys.stderr)
            if peak := taken(where.rig.scratch / "peak.json"):
                peaks.setdefault(label, []).append(peak["python"])
                children.setdefault(label, []).append(peak["child"])
            if contents(where.build_cache) != wanted:
                raise BenchError(f"{label!r} has not restored what was saved")
    return seconds, peaks, children


def _restored(where: Place, label: str, options: argparse.Namespace) -> float:
    if label == OFFICIAL:
        return where.rig.measure(where.official(label, where.client.command("restore", KEY)), where.build_cache)
    by_us = replace(where.ours("restore", NAME, 2), label=OURS)
    path = options.other.resolve() if label == OTHER else None
    by_label = by_other(where.rig, by_us, label, path) if path else by_us
    return where.rig.measure(by_label, where.modules)


def _in_turn(labels: list[str], number: int) -> list[str]:
    shift = number % len(labels)
    return labels[shift:] + labels[:shift]
