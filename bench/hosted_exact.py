"""An exact hit: GitHub's own client with the whole module cache, compared with `go-prefetch run`."""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import replace

from commandline import conditions
from figures import Rows, ratios
from hosted_rig import DOWNLOAD, NO_NETWORK, Hosted, Noted, Part, Projects, hosted
from officialclient import OfficialClient
from realproject import BenchError
from rig import Contender, Rig, by_other, check_same

OFFICIAL, OURS = "a  official client, go mod download", "b  go-prefetch run, store github"
FROM_FOLDER, OTHER = "c  go-prefetch run, store dir:", "o  b by --other"
KEY = "whole-tree"
MOST_CALLS = 5  # of ours to the service, for an exact hit


def measure(options: argparse.Namespace, client: OfficialClient, projects: Projects) -> Part:
    """Fill the service, time all, check that each run was an exact hit."""
    older = projects.older
    with hosted(options, client, older) as place:
        rig = place.rig(older)
        place.fill_by_us(rig)
        place.fill_by_official(rig, KEY)
        _fill_pool(place, rig)
        sizes = [round(entry["bytes"] / 1e6, 1) for entry in place.service.entries()]
        compared = contenders(place, rig, options)
        seconds, noted = place.take_turns(rig, compared, options.rounds)
        check_same(compared[0], compared[1], noted.held)
    check(noted)
    tables: dict[str, Rows] = {
        "seconds": seconds,
        "ratio of each round": ratios(seconds, "b/a", "b/o"),
        "seconds of b": spent(options.link_rate, seconds[OURS], noted),
        "CPU seconds, user and system": rig.cpu,
        "CPU ratio of each round": ratios(rig.cpu, "b/a", "b/o"),
        **noted.tables(),
    }
    told = {**conditions(options, older), "zstd": options.zstd, "ours MB": sizes[0], "whole tree MB": sizes[1]}
    return Part(told, tables, {"asked": noted.asked, "reports": noted.reports})


def contenders(place: Hosted, rig: Rig, options: argparse.Namespace) -> list[Contender]:
    """Return a, b and c, and o if there is another checkout."""
    by_us = place.ours(OURS)
    all_ = [
        place.official(OFFICIAL, place.client.command("restore", KEY), DOWNLOAD),
        by_us,
        place.ours(FROM_FOLDER, store=f"dir:{place.scratch / 'pool'}"),
        *([by_other(rig, by_us, OTHER, options.other)] if options.other else []),
    ]
    return [replace(one, environ={**one.environ, **NO_NETWORK}) for one in all_]


def _fill_pool(place: Hosted, rig: Rig) -> None:
    """Make the pool of c of what a run of ours restores."""
    with rig.module_cache() as module_cache:
        rig.run_all(place.ours("pool", "--goproxy", "off"), module_cache)
        shutil.copytree(module_cache / "cache" / "download", place.scratch / "pool", copy_function=os.link)


def check(noted: Noted) -> None:
    """Fail unless each run was what it is compared as: ranges for a, exact hits of the others, for b with few calls."""
    for label in noted.reports:
        noted.check(label, "exact")
    for asked in noted.asked[OFFICIAL]:
        if asked["ranges"] < 2 or asked["at-once"] < 2:
            raise BenchError(f"the official client has not read parallel ranges: {asked}")
    if max(noted.calls(OURS)) > MOST_CALLS:
        raise BenchError(f"{max(noted.calls(OURS))} calls to the service for an exact hit: {noted.asked[OURS]}")


def spent(link_rate: float, seconds: list[float], noted: Noted) -> dict[str, list[float]]:
    """Return where the seconds of b went, as far as it can be told apart.

    Bytes: what the link needs for them at its best. Verification is counted in two ways. What is left of it when all of
    b's zips are there is what its report says of admission: Go's work before that then counts as overhead, where it has
    slowed down the unpacking of the archive. Alone, it is what c needs from its first zip to Go's verdict.
    """
    parts: dict[str, list[float]] = {}
    rounds = zip(seconds, noted.reports[OURS], noted.reports[FROM_FOLDER], strict=True)
    for wall, told, alone in rounds:
        moved = told["restore"]["bytes"] / 1e6 / link_rate if link_rate else 0.0
        left = told["admit"]["seconds"]
        verified = alone["restore"]["seconds"] + alone["admit"]["seconds"]
        for name, value in (
            ("bytes at the link's rate", moved),
            ("verification left after the last byte", left),
            ("  overhead beyond bytes and that", wall - moved - left),
            ("verification alone, as in c", verified),
            ("  overhead beyond bytes and that one", wall - moved - verified),
        ):
            parts.setdefault(name, []).append(value)
    return parts
