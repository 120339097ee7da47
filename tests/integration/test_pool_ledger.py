"""The pool's own notes are read with suspicion: garbage in them neither fails a run nor becomes a figure."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cold_runs import ColdRun, Span, measured
from go_prefetch.stores.cold_run_note import as_note, parse_note
from go_prefetch.stores.pool_metadata import PoolMetadata
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
ALL = [ModuleFile(ModuleVersion(LIB.path, LIB.version), kind) for kind in ("zip", "mod", "info")]
FILES = [file.name for file in ALL]

ASKED = "https://proxy.example,direct"


def _run(seconds: float, files: Sequence[str] = FILES) -> ColdRun:
    return measured({file: Span(0.0, seconds, 10) for file in files})


def _seconds(ledger: PoolMetadata) -> float | None:
    found = ledger.baseline(ALL)
    return found.seconds if found else None


def _note(**changed: object) -> str:
    """A note of the three files, with these values in it."""
    return json.dumps({**as_note(_run(5.0)), **changed})


NO_FIGURE = {
    "broken JSON": "{",
    "no JSON object": "[]",
    "nothing": "",
    "not UTF-8": "\udcff",
    "deeply nested": "[" * 100_000,
    "seconds NaN": _note(seconds=float("nan")),
    "seconds infinite": _note(seconds=float("inf")),
    "seconds beyond float": _note(seconds=7).replace('"seconds": 7', '"seconds": 1e999'),
    "seconds 1e308": _note(seconds=1e308),
    "seconds a huge whole number": _note(seconds=10**400),
    "seconds negative": _note(seconds=-5),
    "seconds a text": _note(seconds="x"),
    "seconds true": _note(seconds=True),
    "no seconds": _note(seconds=None),
    "files a text": _note(files=FILES[0]),
    "files no texts": _note(files=[1, None, FILES]),
    "no files": _note(files=[], times=[]),
    "no times, of an older version": json.dumps({"seconds": 5, "files": FILES, "cores": 2, "os": "linux"}),
    "fewer times than files": _note(times=[[0, 5, 1]]),
    "times backwards": _note(times=[[5, 0, 1]] * 3),
    "times beyond a week": _note(times=[[0, 8 * 24 * 3_600_000, 1]] * 3),
    "times of two numbers": _note(times=[[0, 5]] * 3),
    "times no list": _note(times={"a": 1, "b": 2, "c": 3}),
    "bytes negative": _note(bytes=-1),
    "cores a text": _note(cores="many"),
    "verification endless": _note(verify_seconds=1e300),
}


@pytest.fixture
def ledger(tmp_path: Path) -> PoolMetadata:
    return PoolMetadata(tmp_path, ASKED)


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of somebody else, which look like notes by their names."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "package.json").write_text("{}")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX links")
@pytest.mark.parametrize("link", ["runs", ""])
def test_notes_that_are_a_link_to_elsewhere_are_none(tmp_path: Path, elsewhere: Path, link: str) -> None:
    """A pool that a cache has brought may hold one: nothing is taken away there, and nothing written."""
    notes = tmp_path / "pool" / ".go-prefetch"
    (notes / link).parent.mkdir(parents=True)
    (notes / link).symlink_to(elsewhere)
    (elsewhere / "runs").mkdir()
    (elsewhere / "runs" / "other.json").write_text("{}")
    ledger = PoolMetadata(tmp_path / "pool", ASKED)
    ledger.forget_others(ALL)
    ledger.note_run(_run(5.0))
    assert sorted(path.name for path in elsewhere.rglob("*.json")) == ["other.json", "package.json"]
    assert _seconds(ledger) == 5.0


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("text", NO_FIGURE.values(), ids=NO_FIGURE.keys())
def test_a_senseless_note_of_a_run_gives_no_figure(ledger: PoolMetadata, runs: Path, text: str) -> None:
    """Neither a crash nor seconds; beside it an honest note still counts."""
    (runs / "a.json").write_bytes(text.encode(errors="surrogateescape"))
    assert _seconds(ledger) is None
    ledger.note_run(_run(12.5))
    assert _seconds(ledger) == 12.5


@pytest.mark.parametrize("files", [FILES, FILES[2:], []], ids=["the same", "some of them", "none"])
def test_a_second_note_of_the_same_files_adds_nothing(ledger: PoolMetadata, runs: Path, files: list[str]) -> None:
    """What two runs paid for counts once."""
    ledger.note_run(_run(12.5))
    (runs / "another.json").write_text(json.dumps(as_note(_run(12.5, files))))
    assert _seconds(ledger) == 12.5


def test_notes_of_different_files_count_as_begun_together(ledger: PoolMetadata) -> None:
    """One run would have downloaded them at the same time. Files that were not restored do not count."""
    ledger.note_run(_run(1.5, FILES[:1]))
    ledger.note_run(_run(2.0, FILES[1:]))
    ledger.note_run(_run(100.0, ["example.com/other/@v/v1.0.0.zip"]))
    assert _seconds(ledger) == 2.0


def test_note_of_a_run_is_read_as_it_was_written() -> None:
    run = dataclasses.replace(_run(1.25), verify_seconds=0.75)
    assert parse_note(json.loads(json.dumps(as_note(run))), str) == run


def test_notes_of_runs_above_the_limit_lose_the_oldest(ledger: PoolMetadata, tmp_path: Path) -> None:
    for number in range(503):
        path = tmp_path / ".go-prefetch" / "runs" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        os.utime(path, (1_000_000 + number, 1_000_000 + number))
    ledger.note_run(_run(1.0))
    left = {path.name for path in (tmp_path / ".go-prefetch" / "runs").iterdir()}
    assert len(left) == 500
    assert not left & {f"{number}.json" for number in range(4)}


def test_notes_of_a_trimmed_pool_stay_while_a_file_does(ledger: PoolMetadata) -> None:
    """An upgrade takes some of the files of a run: what it measured of the others still counts."""
    ledger.note_run(_run(2.0, [*FILES, "example.com/other/@v/v1.0.0.zip"]))
    ledger.note_run(_run(9.0, ["example.com/other/@v/v1.1.0.zip"]))
    ledger.forget_others(ALL)
    assert _seconds(ledger) == 2.0
    assert len(list(ledger._names("runs"))) == 1


FORGOTTEN = {
    "broken JSON": "{",
    "file a list": json.dumps({"asked": ASKED, "file": [FILES[0]], "until": 0}),
    "no file": json.dumps({"until": 1}),
    "until NaN": json.dumps({"asked": ASKED, "file": FILES[0], "until": float("nan")}),
    "until the end of time": json.dumps({"asked": ASKED, "file": FILES[0], "until": 1e300}),
    "until a huge whole number": json.dumps({"asked": ASKED, "file": FILES[0], "until": 10**400}),
    "until long ago": json.dumps({"asked": ASKED, "file": FILES[0], "until": 1}),
    "until a text": json.dumps({"asked": ASKED, "file": FILES[0], "until": "tomorrow"}),
}


@pytest.mark.parametrize("text", FORGOTTEN.values(), ids=FORGOTTEN.keys())
def test_a_senseless_note_of_a_gone_file_is_no_note(ledger: PoolMetadata, tmp_path: Path, text: str) -> None:
    """The proxies are asked again for that file; an honest note beside it still counts."""
    (tmp_path / "unavailable").mkdir()
    (tmp_path / "unavailable" / "a.json").write_text(text)
    assert ledger.unavailable(ALL) == frozenset()
    ledger.note_unavailable(ALL[:1])
    assert ledger.unavailable(ALL) == {ALL[0]}


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
def test_a_ledger_of_strange_files_is_no_ledger(bench: Workbench, tmp_path: Path) -> None:
    """Neither garbage nor a FIFO, a link or a folder among the notes holds up the run or gives a figure."""
    bench.write_project([LIB])
    with ModuleProxy([LIB]) as proxy:
        bench.prefetch(goproxy=proxy.url)
        (note,) = bench.pool.glob(".go-prefetch/runs/*.json")
        note.rename(tmp_path / "note.json")
        os.mkfifo(note)
        (note.parent / "link.json").symlink_to(tmp_path / "note.json")
        (note.parent / "folder.json").mkdir()
        for number, text in enumerate(NO_FIGURE.values()):
            (note.parent / f"{number}.json").write_bytes(text.encode(errors="surrogateescape"))
        bench.forget_modcache()
        result = bench.prefetch(goproxy=proxy.url)
    assert result.status == 0, result.text
    assert bench.outputs["cache-result"] == "exact"
    assert bench.outputs["seconds-saved"] == ""


def test_what_one_proxy_list_lacks_another_may_have(tmp_path: Path) -> None:
    """A note of absence is about the list that was asked, and about no other."""
    PoolMetadata(tmp_path, ASKED).note_unavailable(ALL)
    assert PoolMetadata(tmp_path, ASKED).unavailable(ALL) == frozenset(ALL)
    assert PoolMetadata(tmp_path, "https://other.example").unavailable(ALL) == frozenset()
