"""Findings about the name server and the store, from measurements."""

from __future__ import annotations

import pytest

from go_prefetch.doctor.findings import measured_findings
from go_prefetch.doctor.measurement import Holding, Measurement, Role, Sample, Transfer
from go_prefetch.doctor.rating import rate, rows_of
from go_prefetch.golang.module import ModuleVersion

MODULE = ModuleVersion("example.com/m", "v1.0.0")
ZIP = 1_000_000


def source(name: str, role: Role, *, dns: float = 0.001, first: float = 0.01, rate: float = 1e7) -> Measurement:
    samples = (Sample(dns, 0.001, None, first, first),) * 3
    return Measurement(name, role, samples, (Holding(MODULE, has=True, size=ZIP),), Transfer(int(rate), 1.0, 1))


def found(*sources: Measurement) -> list[tuple[str, dict[str, object]]]:
    rows = rows_of(sources, rate(sources, ZIP))
    return [(finding.name, dict(finding.evidence.facts)) for finding in measured_findings(rows, ZIP)]


def test_dns_slow_names_the_slowest_source() -> None:
    slow, slower = source("https://a.test", "list", dns=0.2), source("https://b.test", "list", dns=0.3)
    assert found(slow, slower) == [("dns-slow", {"seconds": 0.3, "source": "https://b.test"})]
    assert found(source("https://a.test", "list", dns=0.09)) == []


def test_store_slower_compares_a_zip_with_the_best_proxy() -> None:
    proxy, bad = source("https://a.test", "list"), source("https://b.test", "list", rate=1e5)
    pool = source("directory pool /pool", "store", rate=1e6)
    ((name, facts),) = found(proxy, bad, pool)
    assert name == "store-slower"
    assert facts == {
        "store": pool.name, "proxy": proxy.name, "zip": ZIP,
        "here": pytest.approx(1.01), "there": pytest.approx(0.11),
    }  # fmt: skip


def test_store_as_fast_as_a_proxy_has_no_finding() -> None:
    proxy = source("https://a.test", "list")
    assert found(proxy, source("directory pool /pool", "store")) == []
    assert found(source("directory pool /pool", "store", rate=1e4)) == []


def test_store_that_sends_one_archive_pays_its_first_byte_once() -> None:
    proxy, service = source("https://a.test", "list"), source("the cache service", "store", first=0.5)
    assert [name for name, _ in found(proxy, service)] == ["store-slower"]
    archive = Measurement(service.name, "store", service.samples, service.holdings, service.transfer, is_archive=True)
    assert found(proxy, archive) == []
