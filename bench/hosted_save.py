"""What saving costs: a full entry after a miss, and a delta after a partial hit."""

from __future__ import annotations

import argparse
from pathlib import Path

from commandline import conditions
from figures import Rows, differences, ratios
from hosted_rig import Hosted, Noted, Part, Projects, hosted
from officialclient import OfficialClient
from realproject import BenchError
from rig import Contender, Rig, by_other

OFFICIAL = "a  official client, saveCache"
WITH, WITHOUT = "b  run after a miss, with save", "c  the same without save"
OTHER_WITH, OTHER_WITHOUT = "o  b by --other", "p  c by --other"
DELTA, NO_DELTA = "d  run after a partial hit, with save", "e  the same without save"
OTHER_DELTA, OTHER_NO_DELTA = "q  d by --other", "r  e by --other"


def measure(options: argparse.Namespace, client: OfficialClient, projects: Projects) -> Part:
    """Time runs with and without save in turn, for a full entry and then for a delta; check what was saved."""
    older, changed = projects.older, projects.changed
    with hosted(options, client, older, changed) as place:
        rig = place.rig(older)
        full, noted_full = place.take_turns(rig, full_contenders(place, rig, options), options.rounds)
        place.service.evict_all_but(0)
        place.fill_by_us(rig)
        another = place.rig(changed)
        delta, noted_delta = place.take_turns(another, delta_contenders(place, another, options), options.rounds)
    check(noted_full, "miss", "-full-", WITH, OTHER_WITH)
    check(noted_delta, "partial", "-delta-", DELTA, OTHER_DELTA)
    noted = noted_full.and_those_of(noted_delta)
    names = ("b-c", "d-e", "o-p", "q-r")
    seconds, cpu = {**full, **delta}, {**rig.cpu, **another.cpu}
    costs, cpu_costs = ({OFFICIAL: each[OFFICIAL], **differences(each, *names)} for each in (seconds, cpu))
    tables: dict[str, Rows] = {
        "seconds": seconds,
        "seconds of saving": costs,
        "ratio of each round": ratios(costs, "b-c/a", "d-e/a", "b-c/o-p", "d-e/q-r"),
        "seconds of b's steps, by its report": noted.steps(WITH),
        "seconds of d's steps, by its report": noted.steps(DELTA),
        "CPU seconds, user and system": cpu,
        "CPU seconds of saving": cpu_costs,
        "CPU ratio of each round": ratios(cpu_costs, "b-c/a", "b-c/o-p"),
        **noted.tables(),
    }
    told = {**conditions(options, older), "delta": options.change, "changed zips": len(changed.zips() - older.zips())}
    told |= {"proxy latency": options.proxy_latency, "proxy rate": options.proxy_rate, "zstd": options.zstd}
    return Part(told, tables, {"asked": noted.asked, "reports": noted.reports})


def full_contenders(place: Hosted, rig: Rig, options: argparse.Namespace) -> list[Contender]:
    """Return a, b and c, and o and p if there is another checkout. The service is empty before each."""

    def full_and_empty(module_cache: Path) -> None:
        place.service.evict_all_but(0)
        place.fill_by_go(rig, module_cache)

    official = place.official(OFFICIAL, place.client.command("save", "whole-tree"), before=full_and_empty)
    return [official, *_with_and_without(place, rig, options, 0, (WITH, WITHOUT, OTHER_WITH, OTHER_WITHOUT))]


def delta_contenders(place: Hosted, rig: Rig, options: argparse.Namespace) -> list[Contender]:
    """Return d and e, and q and r if there is another checkout. The service has the older version's entry each time."""
    return _with_and_without(place, rig, options, 1, (DELTA, NO_DELTA, OTHER_DELTA, OTHER_NO_DELTA))


def _with_and_without(
    place: Hosted, rig: Rig, options: argparse.Namespace, kept: int, labels: tuple[str, str, str, str]
) -> list[Contender]:
    """Return runs that find the first `kept` entries of the service: by this code, and by the other one."""

    def evict(_: Path) -> None:
        place.service.evict_all_but(kept)

    ours = [place.ours(labels[0], before=evict), place.ours(labels[1], "--save", "false", before=evict)]
    return ours + [by_other(rig, *pair, options.other) for pair in zip(ours, labels[2:], strict=True) if options.other]


def check(noted: Noted, result: str, kind: str, *saving: str) -> None:
    """Fail unless each run had this result, and those in `saving` alone have saved an entry, of this kind."""
    for label, reports in noted.reports.items():
        noted.check(label, result)
        for told in reports:
            key = told["save"]["key"]
            if (kind not in key) if label in saving else key:
                raise BenchError(f"{label!r} has not saved what it is compared as: {told['save']}")
