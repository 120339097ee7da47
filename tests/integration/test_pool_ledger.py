"""The pool's own notes are read with suspicion: garbage in them neither fails a run nor becomes a figure."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cold_runs import ColdRun
from go_prefetch.stores.pool_metadata import PoolMetadata
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
ALL = [ModuleFile(ModuleVersion(LIB.path, LIB.version), kind) for kind in ("zip", "mod", "info")]
FILES = [file.name for file in ALL]

ASKED = "https://proxy.example,direct"
NO_FIGURE = {
    "broken JSON": "{",
    "no JSON object": "[]",
    "nothing": "",
    "not UTF-8": "\udcff",
    "deeply nested": "[" * 100_000,
    "seconds NaN": json.dumps({"seconds": float("nan"), "files": FILES}),
    "seconds infinite": json.dumps({"seconds": float("inf"), "files": FILES}),
    "seconds beyond float": '{"seconds": 1e999, "files": ' + json.dumps(FILES) + "}",
    "seconds 1e308": json.dumps({"seconds": 1e308, "files": FILES}),
    "seconds a huge whole number": json.dumps({"seconds": 10**400, "files": FILES}),
    "seconds negative": json.dumps({"seconds": -5, "files": FILES}),
    "seconds a text": json.dumps({"seconds": "x", "files": FILES}),
    "seconds true": json.dumps({"seconds": True, "files": FILES}),
    "no seconds": json.dumps({"files": FILES}),
    "files a text": json.dumps({"seconds": 5, "files": FILES[0]}),
    "files no texts": json.dumps({"seconds": 5, "files": [1, None, FILES, {}]}),
    "no files": json.dumps({"seconds": 5, "files": []}),
}


def _run(seconds: float, files: Sequence[str] = FILES) -> ColdRun:
    return ColdRun(seconds, frozenset(files), cores=2, os="linux")


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
    assert ledger.cold_runs(ALL) == (_run(5.0),)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("text", NO_FIGURE.values(), ids=NO_FIGURE.keys())
def test_a_senseless_note_of_a_run_gives_no_figure(ledger: PoolMetadata, runs: Path, text: str) -> None:
    """Neither a crash nor seconds; beside it an honest note still counts."""
    (runs / "a.json").write_bytes(text.encode(errors="surrogateescape"))
    assert ledger.cold_runs(ALL) == ()
    ledger.note_run(_run(12.5))
    assert sum(run.seconds for run in ledger.cold_runs(ALL)) == 12.5


@pytest.mark.parametrize("files", [FILES, FILES[2:], []], ids=["the same", "some of them", "none"])
def test_a_second_note_of_the_same_files_adds_nothing(ledger: PoolMetadata, runs: Path, files: list[str]) -> None:
    """What two runs paid for counts once."""
    ledger.note_run(_run(12.5))
    (runs / "another.json").write_text(json.dumps({"seconds": 12.5, "files": files}))
    assert sum(run.seconds for run in ledger.cold_runs(ALL)) == 12.5


def test_notes_of_different_files_are_added_up(ledger: PoolMetadata) -> None:
    """The sum over the runs whose files were all restored, and over no other."""
    ledger.note_run(_run(1.5, FILES[:1]))
    ledger.note_run(_run(2.0, FILES[1:]))
    ledger.note_run(_run(100.0, ["example.com/other/@v/v1.0.0.zip"]))
    assert sum(run.seconds for run in ledger.cold_runs(ALL)) == 3.5


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
