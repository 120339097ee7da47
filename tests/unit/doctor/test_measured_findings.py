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


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("https://sum.golang.org", ""),
        ("https://sum.golang.google.cn", "named"),
        ("https://goproxy.corp.test/sumdb/sum.golang.org", "proxy"),
    ],
)
def test_checksums_unreachable_advises_by_place(name: str, case: str) -> None:
    database = Measurement(name, "checksums", (Sample(failure="reset", lost=True),) * 3)
    rows = rows_of([database], rate([database], ZIP))
    (finding,) = measured_findings(rows, ZIP)
    assert (finding.name, finding.evidence.case) == ("checksums-unreachable", case)
    assert dict(finding.evidence.facts) == {"source": name, "words": "reset"}


def silent(name: str, role: Role) -> Measurement:
    return Measurement(name, role, (Sample(failure="DNS", lost=True),) * 3)


def test_network_down_replaces_the_findings_of_each_host() -> None:
    hosts = silent("https://a.test", "list"), silent("https://b.test", "direct"), silent("https://s.test", "checksums")
    assert found(*hosts, source("directory pool /pool", "store")) == [
        ("network-down", {"count": 3, "source": "https://a.test", "words": "DNS"})
    ]
    assert [name for name, _ in found(source("https://a.test", "list"), *hosts[1:])] == [
        "checksums-unreachable", "direct-unreachable",
    ]  # fmt: skip


def test_hosts_of_direct_have_no_rank_and_no_rate() -> None:
    proxy, host = source("https://a.test", "list"), Measurement("https://b.test", "direct", (Sample(first_byte=0.01),))
    rows = rows_of([host, proxy], rate([host, proxy], ZIP))
    assert [(row.measurement.name, row.rank, row.rating.seconds is None) for row in rows] == [
        (proxy.name, 1, False), (host.name, 0, True),
    ]  # fmt: skip
    assert found(proxy, host) == []
