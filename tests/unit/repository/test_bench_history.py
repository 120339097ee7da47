"""The history of nightly benches: what is kept, and what counts as worse."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))
sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))

import bench_history
import figures

NIGHT = ("--commit", "c0ffee", "--date", "2026-11-29")


def write_figures(folder: Path, *seconds: float) -> None:
    """What two benches write, with these seconds of go-prefetch beside one second of another way."""
    rows = {"a  Go": [1.0] * len(seconds), "c  go-prefetch": list(seconds)}
    part = {"conditions": {"cpus": 2}, "tables": {"seconds": rows, "ratio of each round": figures.ratios(rows, "c/a")}}
    folder.mkdir(exist_ok=True)
    figures.write_json(folder / "warm.json", part)
    figures.write_json(
        folder / "cold.json", {"cli@v2": part, "trivy@v0": {"conditions": {}, "tables": {"seconds": rows}}}
    )


def night(tmp_path: Path, *seconds: float) -> str:
    """Run the tool after a night. Return the table."""
    summary = tmp_path / "summary.md"
    summary.unlink(missing_ok=True)
    write_figures(tmp_path / "figures", *seconds)
    files = [str(tmp_path / "history.jsonl"), str(tmp_path / "figures")]
    bench_history.main([*files, *NIGHT, "--summary", str(summary)])
    return summary.read_text(encoding="utf-8")


def test_history_keeps_the_median_of_each_ratio(tmp_path: Path) -> None:
    """Nothing is compared on the first night. Each night adds a line."""
    first = night(tmp_path, 0.5, 0.4, 0.9)
    second = night(tmp_path, 0.25)
    rows = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    names = {"warm: ratio of each round: c/a", "cold cli@v2: ratio of each round: c/a"}
    assert [row["ratios"] for row in rows] == [dict.fromkeys(names, 0.5), dict.fromkeys(names, 0.25)]
    assert {row["commit"] for row in rows} == {"c0ffee"}
    assert "| warm: ratio of each round: c/a | 0.50 |  |  | 0 |" in first
    assert "| warm: ratio of each round: c/a | 0.25 | 0.50 | -50% | 1 |" in second


@pytest.mark.parametrize(
    ("nights", "last", "is_worse"),
    [
        ([0.5] * 5, 0.7, True),
        ([0.5] * 5, 0.55, False),  # the machine's mood
        ([0.5, 0.5, 0.5, 0.5, 0.8], 0.7, False),  # it has been so before
        ([0.5] * 4, 0.9, False),  # too few nights to know
        ([0.9, *[0.5] * 14], 0.7, True),  # longer ago than is compared
    ],
)
def test_ratio_is_worse_than_all_nights_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], nights: list[float], last: float, is_worse: bool
) -> None:
    """It is marked and a warning, and the tool succeeds."""
    for seconds in nights:
        night(tmp_path, seconds)
    capsys.readouterr()
    table = night(tmp_path, last)
    assert ("| ⚠️ warm: ratio of each round: c/a |" in table) == is_worse
    assert capsys.readouterr().out.count("::warning ") == (2 if is_worse else 0)


def test_history_without_figures_fails(tmp_path: Path) -> None:
    """A night without benches leaves the history as it is."""
    (tmp_path / "figures").mkdir()
    with pytest.raises(SystemExit, match="no ratio"):
        bench_history.main([str(tmp_path / "history.jsonl"), str(tmp_path / "figures"), *NIGHT])
    assert not (tmp_path / "history.jsonl").exists()


def test_history_is_limited_to_a_year_and_a_bit(tmp_path: Path) -> None:
    lines = [json.dumps({"date": "", "commit": str(number), "ratios": {}}) for number in range(bench_history.KEPT)]
    (tmp_path / "history.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    night(tmp_path, 0.5)
    kept = (tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(kept) == bench_history.KEPT
    assert json.loads(kept[0])["commit"] == "1"
