"""A partial hit: the entry is of an older version of the project, and a proxy has what it lacks."""

from __future__ import annotations

import argparse

from commandline import conditions
from figures import Rows, ratios
from hosted_rig import DOWNLOAD, Hosted, Noted, Part, Projects, hosted
from officialclient import OfficialClient
from realproject import BenchError
from rig import Contender, Rig, by_other

OFFICIAL, OURS = "a  official restore keys, go mod download", "b  go-prefetch run, store github"
OTHER = "o  b by --other"
PREFIX = "go-modules-"


def measure(options: argparse.Namespace, client: OfficialClient, projects: Projects) -> Part:
    """Fill the service from the older version, time all for the newer one, check that each run was a partial hit."""
    older, newer = projects.older, projects.newer
    with hosted(options, client, older, newer) as place:
        place.fill_by_us(place.rig(older))
        place.fill_by_official(place.rig(older), f"{PREFIX}older")
        rig = place.rig(newer)
        seconds, noted = place.take_turns(rig, contenders(place, rig, options), options.rounds)
    check(noted)
    tables: dict[str, Rows] = {
        "seconds": seconds,
        "ratio of each round": ratios(seconds, "b/a", "b/o"),
        "seconds of b's steps, by its report": noted.steps(OURS),
        "seconds of o's steps, by its report": noted.steps(OTHER) if options.other else {},
        "CPU seconds, user and system": rig.cpu,
        "CPU ratio of each round": ratios(rig.cpu, "b/a", "b/o"),
        **noted.tables(),
    }
    told = {**conditions(options, newer), "entry of": older.module, "changed zips": len(newer.zips() - older.zips())}
    told |= {"proxy latency": options.proxy_latency, "proxy rate": options.proxy_rate, "zstd": options.zstd}
    return Part(told, tables, {"asked": noted.asked, "reports": noted.reports})


def contenders(place: Hosted, rig: Rig, options: argparse.Namespace) -> list[Contender]:
    """Return a and b, and o if there is another checkout. The client fails unless it matches the older key."""
    by_us = place.ours(OURS, "--save", "false")
    restore = place.client.command("restore", f"{PREFIX}newer", PREFIX, f"{PREFIX}older")
    return [
        place.official(OFFICIAL, restore, DOWNLOAD),
        by_us,
        *([by_other(rig, by_us, OTHER, options.other)] if options.other else []),
    ]


def check(noted: Noted) -> None:
    """Fail unless each run of ours got files from the cache and from the proxy, and has what the official client has.

    The whole module cache of the older version has other modules too.
    """
    for label, reports in noted.reports.items():
        noted.check(label, "partial")
        for told in reports:
            restored, downloaded = told["restore"]["files"], told["download"]["files"]
            if not restored or not downloaded:
                raise BenchError(f"{label!r}: {restored} files restored, {downloaded} downloaded")
        if beyond := noted.held[label] - noted.held[OFFICIAL]:
            raise BenchError(f"{label!r} has zips or trees that the official client lacks: {sorted(beyond)[:20]}")
