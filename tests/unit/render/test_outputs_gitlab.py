"""Outputs as GitLab's report files."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from go_prefetch.render.outputs import dotenv, links, metrics
from tests.support.snapshots import TextFile

OUTPUTS = {
    "cache-result": "partial",
    "cache-hit": "false",
    "cache-key": "go-prefetch-1-0123456789abcdef-" + "0" * 64,
    "matched-key": "",
    "modules": "53",
    "modules-from-cache": "50",
    "hit-rate": "0.943",
    "bytes-restored": "36200000",
    "bytes-downloaded": "1200000",
    "seconds": "1.5",
    "seconds-saved": "",
    "gomodcache": "/builds/org/app/.go-prefetch",
}


def test_dotenv(snapshot: SnapshotAssertion) -> None:
    """Every output, as a variable that collides with no input."""
    assert dotenv(OUTPUTS) == snapshot(extension_class=TextFile)


def test_metrics(snapshot: SnapshotAssertion) -> None:
    """Figures only, and none that was not measured."""
    assert metrics(OUTPUTS) == snapshot(extension_class=TextFile)


def test_link_says_how_it_went() -> None:
    """The label is what the job's page shows."""
    (link,) = json.loads(links(OUTPUTS, "https://gitlab.example.com/x"))["go-prefetch"]
    assert link == {
        "external_link": {
            "label": "go-prefetch: partial, 50 of 53 modules from the cache",
            "url": "https://gitlab.example.com/x",
        }
    }


@given(st.dictionaries(st.sampled_from(sorted(OUTPUTS)), st.text()))
def test_no_value_becomes_a_second_variable(values: dict[str, str]) -> None:
    """Whatever a path may hold: GitLab reads the file line by line."""
    for line in dotenv({**OUTPUTS, **values}).splitlines():
        assert re.match(r"GO_PREFETCH_[A-Z_]+=", line)


@given(st.dictionaries(st.sampled_from(sorted(OUTPUTS)), st.text()))
def test_metrics_stay_well_formed(values: dict[str, str]) -> None:
    """Anything that is no number is left out."""
    lines = metrics({**OUTPUTS, **values}).splitlines()
    assert lines[-1] == "# EOF"
    assert all(re.fullmatch(r"# HELP go_prefetch_\w+ .*|go_prefetch_\w+ -?\d+(\.\d+)?|# EOF", line) for line in lines)
