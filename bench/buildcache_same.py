"""Programs built with a restored build cache, compared byte for byte with those of an empty one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from buildcache_rig import Outcome, Place, Release, place, releases
from commandline import machine
from gocache import files_of
from hosted_rig import Part
from officialclient import OfficialClient
from realproject import BenchError

# Two versions each: the first fills the cache.
PROJECTS = {
    "mvdan.cc/gofumpt": ("v0.8.0", "v0.9.0"),
    "filippo.io/age": ("v1.2.0", "v1.2.1"),
    "github.com/mikefarah/yq/v4": ("v4.45.1", "v4.47.2"),
}
LEGS: Mapping[str, dict[str, str]] = {
    "plain": {},
    "race": {"GOFLAGS": "-trimpath -buildvcs=false -race", "CGO_ENABLED": "1"},
    "windows": {"GOOS": "windows", "CGO_ENABLED": "0"},
}


def measure(options: argparse.Namespace, client: OfficialClient) -> Part:
    """Build each project in each leg with an empty cache and with a restored one."""
    cache = options.cache_dir.expanduser().resolve()
    compared = 0
    restored: dict[str, list[float]] = {}
    with place(options, client) as where:
        for module, versions in PROJECTS.items():
            older, newer = releases(module, list(versions), cache)
            for leg, environ in LEGS.items():
                name = f"{module} {leg}"
                expected = _built(where, newer, environ)
                shares = check_leg(where, name, environ, (older, newer, newer), expected)
                restored[name] = shares
                compared += len(expected.programs)
                print(f"{name}: {len(expected.programs)} programs are the same", file=sys.stderr)
    told = {"projects": len(PROJECTS), "legs": len(LEGS), "programs": compared, **machine()}
    return Part(told, {"MB of GOCACHE restored": restored}, {})


def check_leg(
    where: Place, name: str, environ: dict[str, str], jobs: tuple[Release, ...], expected: Outcome
) -> list[float]:
    """Run jobs with the build cache, of which the last ones build what is expected; return the MB each has restored."""
    megabytes = []
    for number, release in enumerate(jobs, 1):
        where.clear()
        where.check_out(release)
        _cached(where, "restore", name, number, environ)
        files = files_of(where.build_cache)
        megabytes.append(sum(size for size, _ in files.values()) / 1e6)
        outcome = where.build("build", environ, with_vet=False)[1]
        _cached(where, "save", name, number, environ)
        if number == 1:
            continue
        if not files:
            raise BenchError(f"{name}: job {number} has restored nothing")
        if outcome != expected:
            raise BenchError(f"{name}: job {number} has built {outcome}, not {expected}")
    return megabytes[1:]


def _cached(where: Place, what: str, name: str, number: int, environ: dict[str, str]) -> None:
    contender = where.ours(what, name, number)
    contender.environ.update(environ)
    where.rig.measure(contender, where.modules)


def _built(where: Place, release: Release, environ: dict[str, str]) -> Outcome:
    """Build with an empty GOCACHE."""
    where.clear()
    where.check_out(release)
    return where.build("build", environ, with_vet=False)[1]
