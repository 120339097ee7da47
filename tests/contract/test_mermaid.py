"""The picture of a job summary in Mermaid itself, drawn by Chromium: every diagram is one, whatever the figures."""

from __future__ import annotations

import dataclasses
import html
import re
import subprocess
from pathlib import Path

import pytest

from go_prefetch.render.timeline import gantt
from tests.support.fakes.summaries import ALL
from tests.support.made_once import NPM_CI, built_once
from tests.support.workbench import Workbench

ROOT = Path(__file__).parents[2]
MERMAID = ROOT / "tests" / "programs" / "mermaid"  # the lock file of the major version that GitHub renders with
CHROMIUM = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--virtual-time-budget=30000",
]  # fmt: skip
PAGE = """\
<!doctype html><meta charset="utf-8"><body>{diagrams}
<script src="node_modules/mermaid/dist/mermaid.min.js"></script>
<script>mermaid.initialize({{startOnLoad: true}})</script>
"""
NAMES = [name for name, made in ALL.items() if name != "present" and not made.plan.disabled_because]
SECONDS = [0.0, 0.001, 0.06, 1.0, 59.9, 3600.0, 7 * 24 * 3600.0]


def source(diagram: str) -> str:
    """What is between the fences."""
    return diagram.removeprefix("```mermaid\n").removesuffix("\n```")


@pytest.mark.network  # npm
@pytest.mark.system  # Chromium
def test_every_picture_is_drawn(bench: Workbench) -> None:
    """As many drawings as diagrams, each with the words of its steps, and not one message of a syntax error."""
    (bench.folder / "node_modules").symlink_to(built_once(MERMAID, *NPM_CI) / "node_modules")
    diagrams = [source(gantt(ALL[name])) for name in NAMES]
    miss = ALL["job_miss"]
    for seconds in SECONDS:
        downloaded = dataclasses.replace(miss.downloaded, seconds=seconds)
        diagrams.append(source(gantt(dataclasses.replace(miss, downloaded=downloaded, seconds=seconds + 4))))
    blocks = "".join(f'<pre class="mermaid">{html.escape(text)}</pre>' for text in diagrams)
    page = bench.folder / "page.html"
    page.write_text(PAGE.format(diagrams=blocks), encoding="utf-8")
    argv = [*CHROMIUM, f"--user-data-dir={bench.folder / 'profile'}", "--dump-dom", page.as_uri()]
    drawn = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True).stdout.partition("<script")[0]
    assert len(re.findall(r'<svg[^>]*aria-roledescription="gantt"', drawn)) == len(diagrams)
    assert "Syntax error" not in drawn
    assert "cold run" in drawn
    assert "NaN" not in drawn


def test_only_our_own_words_are_in_a_picture() -> None:
    """So that no module path, address or folder can be read as a part of the diagram."""
    words = {
        "gantt", "dateFormat", "x", "axisFormat", "s", "Q", "ms", "tickInterval", "millisecond", "section", "this",
        "run", "cold", "plan", "restore", "download", "verify", "go", "mod", "save", "to", "active", "min",
    }  # fmt: skip
    for name in NAMES:
        assert set(re.findall("[A-Za-z]+", source(gantt(ALL[name])))) <= words
