"""A Diagnosis as text, Markdown and JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from syrupy.assertion import SnapshotAssertion

from go_prefetch.doctor.candidates import candidates
from go_prefetch.doctor.diagnosis import Diagnosis, Extent, diagnose
from go_prefetch.doctor.finding import Finding, seen
from go_prefetch.doctor.measurement import Holding, Measurement, Sample, Transfer
from go_prefetch.doctor.render import diagnosis_json, diagnosis_markdown, diagnosis_text
from go_prefetch.doctor.watch import Series
from go_prefetch.golang.goproxy import ProxyList, parse_proxy_list
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.prune.families import Family, Inventory
from tests.support.series import watched
from tests.support.snapshots import MarkdownFile, TextFile

MODULES = tuple(ModuleVersion(f"example.com/m{number}", "v1.0.0") for number in range(7))
FAR, NEAR, DEAD = "https://far.test", "https://user:xxxxx@near.test", "https://dead.test"


def good(first_byte: float) -> Sample:
    return Sample(0.004, 0.009, 0.0185, first_byte, first_byte + 0.032)


LOST = Sample(0.004, 0.009, 0.0185, None, 15.0, "no answer within 15s", lost=True)
GONE = Sample(0.004, None, None, None, 5.0, "no connection within 5s", lost=True)


def holdings(lacking: int) -> tuple[Holding, ...]:
    return tuple(Holding(module, has=n >= lacking, size=120_000) for n, module in enumerate(MODULES))


def diagnosis(series: Series | None = None) -> Diagnosis:
    proxies = parse_proxy_list("https://far.test|https://dead.test|direct")
    also = parse_proxy_list("https://user:pass@near.test").proxies
    far = Measurement(FAR, "list", (*[good(0.3)] * 9, LOST), holdings(6), Transfer(4_000_000, 1.0, 8))
    dead = Measurement(DEAD, "list", (GONE,) * 3, notes=("3 of 10 samples: no answer to any of them",))
    near = Measurement(NEAR, "also", (good(0.05), good(0.06)) * 5, holdings(0), Transfer(90_000_000, 1.5, 8))
    pool = Measurement("directory pool /pool", "store", (), holdings(7), notes=("the folder does not exist yet",))
    database = Measurement("https://sum.test", "checksums", (GONE,) * 3)
    host = Measurement("https://corp.test", "direct", (good(0.08),) * 10)
    found = (
        Finding("vendored", "note", seen(folder="/a|b")),
        Finding("checks-left-out", "problem", seen("gosumdb-off")),
    )
    order = zip(candidates(proxies, also), (far, dead, near), strict=True)
    caches = Inventory(
        "acme/widget",
        "main",
        (
            Family("CodeQL", 12, 5_200_000_000, 0, on_default_branch=True, on_pull_requests=True),
            Family("Linux|go-…", 1, 900, 11, on_default_branch=False, on_pull_requests=True),
        ),
        0,
    )
    found_here = diagnose(proxies, list(order), [pool, database, host], found, Extent(7, 2, 10, series))
    return replace(found_here, caches=caches)


def test_text(snapshot: SnapshotAssertion) -> None:
    assert diagnosis_text(diagnosis(), "#") + "\n" == snapshot(extension_class=TextFile)


def test_text_of_a_narrow_screen(snapshot: SnapshotAssertion) -> None:
    """No line of the table is broken by the terminal; a wide screen has what a file has."""
    narrow = diagnosis_text(diagnosis(), "#", width=80)
    assert narrow + "\n" == snapshot(extension_class=TextFile)
    assert max(map(len, narrow.partition("\nfailed")[0].splitlines()[1:])) <= 80
    wide, any_width = (diagnosis_text(diagnosis(), "#", width=width) for width in (200, 0))
    assert wide.partition("\nfailed")[0] == any_width.partition("\nfailed")[0]


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [(1800, "23:50:00 to 23:55:00"), (7200, "23:50 to 00:00"), (86400, "11-29 23:50 to 11-30 01:50")],
)
def test_text_of_a_series_has_a_line_for_each_part(seconds: float, clock: str) -> None:
    started = datetime(2026, 11, 29, 23, 50, tzinfo=timezone.utc)
    series = Series(started, seconds, 10.0, {FAR: (watched(0.0), watched(1.0, lost=True))})
    text = diagnosis_text(diagnosis(series), "#")
    assert f"\nseries (UTC)\n  {FAR} {clock}: first byte 60 ms, 90 % 60 ms, 1 of 2 samples failed\n" in text
    assert ", watched for " in text.splitlines()[0]


def test_markdown(snapshot: SnapshotAssertion) -> None:
    assert diagnosis_markdown(diagnosis()) == snapshot(extension_class=MarkdownFile)


def test_json() -> None:
    """Every string is cleaned; what was not measured is null."""
    said = json.loads(diagnosis_json(diagnosis(), lambda text: text.replace("near", "xxx")))
    assert "near" not in json.dumps(said)
    assert said["schema"] == 1
    assert said["unusable"] == [DEAD]
    assert [source["rank"] for source in said["sources"]] == [1, 2, None, None, None, None]
    near, far, dead, pool, database, host = said["sources"]
    assert (near["loss"], near["jitter"]) == (0.0, pytest.approx(0.01))
    assert (far["loss"], far["failures"]) == (0.1, [{"words": "no answer within 15s", "count": 1}])
    assert (dead["tcp"], dead["worth"], dead["bytes_per_second"]) == (None, "unusable", None)
    assert (pool["loss"], pool["worth"]) == (None, "empty")
    assert (database["role"], database["worth"]) == ("checksums", "unusable")
    assert (host["role"], host["worth"], host["seconds_per_zip"]) == ("direct", "usable", None)
    assert near["percentiles"]["first_byte"] == {"50": 0.05, "90": 0.06, "95": 0.06, "99": 0.06}
    assert said["caches"]["families"][1] == {
        "name": "Linux|go-…", "entries": 1, "bytes": 900, "idle_days": 11,
        "on_default_branch": False, "on_pull_requests": True,
    }  # fmt: skip
    assert (said["caches"]["bytes"], said["caches"]["dollars_a_month"]) == (5_200_000_900, 0.0)
    assert dead["percentiles"]["tls"] == {"50": None, "90": None, "95": None, "99": None}


def test_nothing_measured_is_said() -> None:
    """A list of `direct` alone, and no store."""
    nothing = diagnose(ProxyList((), "direct"), [], [], (), Extent(0, 0, 1), store_left_out="store is none")
    nothing = replace(nothing, caches_left_out="there is no token")
    text = diagnosis_text(nothing, "#")
    assert "0 proxies" in text
    assert "the store was not measured: store is none" in text
    assert "the caches of the repository were not listed: there is no token" in text
    assert "the list names no proxy" in text
