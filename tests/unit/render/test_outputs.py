"""The action's outputs: exactly those that action.yml declares, text each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from go_prefetch.render.outputs import outputs
from tests.support.fakes.reports import REPORTS

ACTION = Path(__file__).parents[3] / "action.yml"


def _declared() -> list[str]:
    block = re.search(r"^outputs:\n((?:[ #].*\n|\n)+)", ACTION.read_text(), re.MULTILINE)
    assert block
    return re.findall(r"^  ([a-z-]+):$", block[1], re.MULTILINE)


@pytest.mark.parametrize("name", REPORTS)
def test_every_declared_output_is_set_and_no_other(name: str) -> None:
    found = outputs(REPORTS[name])
    assert list(found) == _declared()
    assert all(isinstance(text, str) and "\n" not in text for text in found.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("miss", {"cache-result": "miss", "cache-hit": "false", "matched-key": "", "modules": "3", "hit-rate": "0.000",
                  "modules-from-cache": "0", "bytes-restored": "0", "bytes-downloaded": "1238888"}),
        ("exact", {"cache-result": "exact", "cache-hit": "true", "modules": "2", "modules-from-cache": "2",
                   "hit-rate": "1.000", "bytes-restored": "1234567", "bytes-downloaded": "0", "seconds-saved": "8.4"}),
        ("exact_but_slower", {"cache-hit": "true", "hit-rate": "0.500", "seconds-saved": "-1.5"}),
        ("partial", {"cache-result": "partial", "cache-hit": "false", "matched-key": "", "modules-from-cache": "1",
                     "hit-rate": "0.500", "bytes-downloaded": "1000", "seconds-saved": ""}),
        ("present", {"cache-result": "present", "cache-hit": "true", "matched-key": "", "hit-rate": ""}),
        ("disabled", {"cache-result": "disabled", "cache-hit": "false", "modules": "0", "hit-rate": ""}),
        ("failed", {"cache-result": "miss", "cache-hit": "false", "modules": "1"}),
    ],
)  # fmt: skip
def test_outputs(name: str, expected: dict[str, str]) -> None:
    found = outputs(REPORTS[name])
    assert {key: found[key] for key in expected} == expected


def test_a_hit_matched_the_very_key() -> None:
    found = outputs(REPORTS["exact"])
    assert found["matched-key"] == found["cache-key"] != ""
