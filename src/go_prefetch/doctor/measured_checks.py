"""Checks of what was measured: hosts that Go asks, the name server, the store. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from go_prefetch.doctor.finding import Evidence, seen
from go_prefetch.doctor.measurement import Role
from go_prefetch.doctor.rating import Row, seconds_per_zip

# A resolver of the same network answers within a few milliseconds, and a lookup that recurses takes 20 to 100 ms.
_SLOW_LOOKUP = 0.1


def network_down(rows: Sequence[Row], zip_bytes: int) -> Iterator[Evidence]:
    """Find a network where no source answers. It replaces the findings about each host."""
    del zip_bytes
    hosts = _silent_hosts(rows)
    if hosts:
        yield seen(count=len(hosts), source=hosts[0].measurement.name, words=hosts[0].rating.why)


def _silent_hosts(rows: Sequence[Row]) -> list[Row]:
    """Return the sources on the network if there are several and none answers; otherwise none."""
    hosts = [row for row in rows if row.measurement.role != "store"]
    return hosts if len(hosts) > 1 and all(row.measurement.is_silent for row in hosts) else []


def _unusable(rows: Sequence[Row], role: Role) -> Iterator[Row]:
    if not _silent_hosts(rows):
        yield from (row for row in rows if row.measurement.role == role and row.rating.worth == "unusable")


def checksums_unreachable(rows: Sequence[Row], zip_bytes: int) -> Iterator[Evidence]:
    """Find a checksum database that does not answer."""
    del zip_bytes
    for row in _unusable(rows, "checksums"):
        name = row.measurement.name
        case = "proxy" if "/sumdb/" in name else "" if name == "https://sum.golang.org" else "named"
        yield seen(case, source=name, words=row.rating.why)


def direct_unreachable(rows: Sequence[Row], zip_bytes: int) -> Iterator[Evidence]:
    """Find hosts that Go asks itself, and that do not answer."""
    del zip_bytes
    for row in _unusable(rows, "direct"):
        yield seen(source=row.measurement.name, words=row.rating.why)


def dns_slow(rows: Sequence[Row], zip_bytes: int) -> Iterator[Evidence]:
    """Find a name server that takes long for most lookups. The slowest source is named."""
    del zip_bytes
    slow = [(row.figures.dns, row.measurement.name) for row in rows if (row.figures.dns or 0.0) > _SLOW_LOOKUP]
    if slow:
        seconds, source = max(slow)
        yield seen(seconds=seconds, source=source)


def store_slower(rows: Sequence[Row], zip_bytes: int) -> Iterator[Evidence]:
    """Find a store that sends a zip of typical size later than the best proxy does."""
    proxy = next((row for row in rows if row.rank == 1 and row.measurement.transfer.rate), None)
    store = next((row for row in rows if row.measurement.role == "store" and row.measurement.transfer.rate), None)
    if not (proxy and store and zip_bytes):
        return
    here, there = (
        seconds_per_zip(row.measurement, row.figures, zip_bytes, row.measurement.transfer.rate)
        for row in (store, proxy)
    )
    if here > there:
        yield seen(store=store.measurement.name, proxy=proxy.measurement.name, zip=zip_bytes, here=here, there=there)
