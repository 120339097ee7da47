"""Twelve versions of a project, one job each: without a build cache, and with three ways to keep one."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from buildcache_rig import Outcome, Place, Release, place
from commandline import machine
from figures import Rows, ratios
from gocache import files_of, size_of, used_bytes
from hosted_rig import Part
from officialclient import OfficialClient
from realproject import BenchError
from rig import Contender

NONE, SETUP_GO, WHOLE, OURS = "none", "setup-go", "whole", "ours"
NAME = "bench"
RATIOS = ("ours/none", "ours/setup-go", "ours/whole")
FIGURES = ("restore", "build", "save", "cpu", "received", "stored", "restored", "used", "left")


@dataclass(frozen=True)
class Commands:
    """What a way does around a build. `folder` is the official client's: GOCACHE."""

    restore: Contender | None = None
    save: Contender | None = None
    restores: bool = False  # whether an entry is there for it


@dataclass(frozen=True)
class Cost:
    """What one job cost, and what came of it. Sizes are bytes."""

    restore: float
    build: float
    save: float
    cpu: float  # of restore and build
    received: int  # from the service
    stored: int  # by this job, as the service has it
    restored: int  # in GOCACHE after the restore
    used: int
    left: int  # in GOCACHE at the end
    outcome: Outcome

    @property
    def seconds(self) -> float:
        """Of restore and build together."""
        return self.restore + self.build


def no_cache(_place: Place, _chosen: Sequence[Release], _number: int) -> Commands:
    """Build with an empty GOCACHE."""
    return Commands()


def setup_go(where: Place, chosen: Sequence[Release], number: int) -> Commands:
    """Keep one entry for each go.sum, saved once."""
    now, earlier = chosen[number], {release.sums for release in chosen[:number]}
    key, is_there = f"{SETUP_GO}-{now.sums}", now.sums in earlier
    restore = where.client.command("restore", key)
    if not is_there:
        save = where.official(f"{SETUP_GO} save", where.client.command("save", key))
        return Commands(where.official(f"{SETUP_GO} restore", _must_fail(restore)), save)
    return Commands(where.official(f"{SETUP_GO} restore", restore), restores=True)


def whole(where: Place, chosen: Sequence[Release], number: int) -> Commands:
    """Keep all of GOCACHE under a new key each time, and restore the newest of them."""
    client, prefix = where.client, f"{WHOLE}-"
    keys = [f"{prefix}{release.version}" for release in chosen[: number + 1]]
    save = where.official(f"{WHOLE} save", client.command("save", keys[-1]))
    if number == 0:
        return Commands(where.official(f"{WHOLE} restore", _must_fail(client.command("restore", keys[-1]))), save)
    restore = client.command("restore", keys[-1], prefix, keys[-2])
    return Commands(where.official(f"{WHOLE} restore", restore), save, restores=True)


def ours(where: Place, _chosen: Sequence[Release], number: int) -> Commands:
    """Let go-prefetch keep it."""
    restore, save = (where.ours(what, NAME, number + 1) for what in ("restore", "save"))
    return Commands(restore, save, restores=number > 0)


WAYS: dict[str, Callable[[Place, Sequence[Release], int], Commands]] = {
    NONE: no_cache,
    SETUP_GO: setup_go,
    WHOLE: whole,
    OURS: ours,
}


def measure(options: argparse.Namespace, client: OfficialClient, chosen: Sequence[Release]) -> Part:
    """Run a job of each way for each version, the order rotating; check that all have built the same."""
    compared: list[str] = options.ways
    costs: dict[str, list[Cost]] = {way: [] for way in compared}
    with place(options, client) as where:
        for number, release in enumerate(chosen):
            shift = number % len(compared)
            for way in (*compared[shift:], *compared[:shift]):
                costs[way].append(job(where, way, chosen, number))
            check_same(release.version, {way: costs[way][-1].outcome for way in compared})
        kept = [cost.restored for cost in costs[OURS][1:]] + [_restored_at_last(where, len(chosen))]
    found = {**seconds_tables(chosen, costs), **byte_tables(costs, kept)}
    return Part(conditions(options, chosen), found, {"jobs": rows(chosen, costs)})


def job(where: Place, way: str, chosen: Sequence[Release], number: int) -> Cost:
    """Check out, restore, build, save: what it cost, where it was what it is compared as."""
    commands = WAYS[way](where, chosen, number)
    where.check_out(chosen[number])
    where.clear()
    before = {entry["key"] for entry in where.service.entries()}
    where.service.counts(clear=True)
    restore = _seconds(where, commands.restore)
    received = where.service.counts(clear=True)["out"]
    restored = files_of(where.build_cache)
    if bool(restored) != commands.restores:
        raise BenchError(f"{way}, {chosen[number].version}: {len(restored)} files restored")
    build, outcome = where.build(f"{way} build", {})
    cpu = sum(where.rig.cpu.pop(f"{way} {phase}", [0.0])[-1] for phase in ("restore", "build"))
    used = used_bytes(where.build_cache, restored)
    save = _seconds(where, commands.save)
    stored = sum(entry["bytes"] for entry in where.service.entries() if entry["key"] not in before)
    left = size_of(files_of(where.build_cache))
    cost = Cost(restore, build, save, cpu, received, stored, size_of(restored), used, left, outcome)
    print(
        f"{chosen[number].version} {way}: restore {restore:.2f} s, build {build:.2f} s, save {save:.2f} s, "
        f"{stored / 1e6:.1f} MB stored (load {os.getloadavg()[0]:.1f})",
        file=sys.stderr,
    )
    return cost


def check_same(version: str, outcomes: Mapping[str, Outcome]) -> None:
    """Fail unless all ways have built the same programs, and `go vet` has said the same."""
    first = next(iter(outcomes.values()))
    for way, outcome in outcomes.items():
        if not outcome.programs or outcome.programs != first.programs:
            raise BenchError(f"{version}: {way} has built other programs: {outcome.programs}, not {first.programs}")
        if outcome.vet != first.vet:
            raise BenchError(f"{version}: go vet differs for {way}: {outcome.vet}, not {first.vet}")


def conditions(options: argparse.Namespace, chosen: Sequence[Release]) -> dict[str, object]:
    """Return what the figures depend on."""
    names = ("latency", "stream_rate", "link_rate")
    return {
        "module": options.module.partition("@")[0],
        "versions": " ".join(release.version for release in chosen),
        "go.sum files": len({release.sums for release in chosen}),
        **{name: getattr(options, name) for name in names},
        **machine(),
    }


def seconds_tables(chosen: Sequence[Release], costs: Mapping[str, Sequence[Cost]]) -> dict[str, Rows]:
    """Return seconds of all versions, and of each kind of them."""
    seen = [now.sums in {one.sums for one in chosen[:number]} for number, now in enumerate(chosen)]
    kinds = {
        f"all {len(chosen)} versions": range(len(chosen)),
        "versions with another go.sum": [number for number, is_seen in enumerate(seen) if not is_seen],
        "versions with a go.sum seen before": [number for number, is_seen in enumerate(seen) if is_seen],
    }
    found: dict[str, Rows] = {}
    for kind, numbers in kinds.items():
        if numbers:
            seconds = {way: [costs[way][number].seconds for number in numbers] for way in costs}
            found[f"restore and build, {kind}"] = seconds
            found[f"ratio, {kind}"] = ratios(seconds, *RATIOS)
    cpu = {way: [one.cpu for one in each] for way, each in costs.items()}
    found["CPU seconds of restore and build"] = cpu
    found["CPU ratio, all versions"] = ratios(cpu, *RATIOS)
    for phase in ("restore", "build", "save"):
        found[f"seconds of {phase}"] = _of_each(costs, phase)
    return found


def byte_tables(costs: Mapping[str, Sequence[Cost]], kept: Sequence[int]) -> dict[str, Rows]:
    """Return what went over the link, what was stored, and what GOCACHE had. `kept` is what the next job restores."""
    found: dict[str, Rows] = {
        "MB received": _of_each(costs, "received", 1e6),
        "MB stored": _of_each(costs, "stored", 1e6),
    }
    for what in ("received", "stored"):
        found[f"MB {what} in all"] = {way: [sum(each)] for way, each in found[f"MB {what}"].items()}
    found["ratio of MB stored in all"] = ratios(found["MB stored in all"], *RATIOS)
    used = [one.used for one in costs[OURS]]
    found["MB of GOCACHE"] = {
        "used by the job, ours": [size / 1e6 for size in used],
        "restored for the next job, ours": [size / 1e6 for size in kept],
        **{f"at the end, {way}": sizes for way, sizes in _of_each(costs, "left", 1e6).items()},
    }
    found["ratio to what the job used"] = {
        "restored for the next job, ours": [size / one for size, one in zip(kept, used, strict=True)],
    }
    return found


def _of_each(costs: Mapping[str, Sequence[Cost]], figure: str, unit: float = 1) -> dict[str, list[float]]:
    """Return one figure of each job by way, without ways that have none."""
    found = {way: [getattr(one, figure) / unit for one in each] for way, each in costs.items()}
    return {way: values for way, values in found.items() if any(values)}


def rows(chosen: Sequence[Release], costs: Mapping[str, Sequence[Cost]]) -> list[dict[str, object]]:
    """Return the figures of each job for the JSON file."""
    return [
        {"version": release.version, "way": way, **{name: getattr(each[number], name) for name in FIGURES}}
        for number, release in enumerate(chosen)
        for way, each in costs.items()
    ]


def _restored_at_last(where: Place, number: int) -> int:
    """Return the bytes of GOCACHE that a job after the last one starts with."""
    where.clear()
    where.rig.measure(where.ours("restore", NAME, number + 1), where.modules)
    return size_of(files_of(where.build_cache))


def _seconds(where: Place, contender: Contender | None) -> float:
    """Run commands with the folder that they are about: GitHub's client keeps what it takes for a module cache."""
    if contender is None:
        return 0.0
    is_ours = contender.label.startswith(OURS)
    return where.rig.measure(contender, where.modules if is_ours else where.build_cache)


def _must_fail(command: list[str]) -> list[str]:
    return ["sh", "-c", '! "$@"', "sh", *command]
