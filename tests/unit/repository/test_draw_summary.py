"""The picture of a job summary: the page that Chromium draws."""

from __future__ import annotations

import runpy
from pathlib import Path

from go_prefetch.render.markdown import markdown
from tests.support.fakes.summaries import ALL

TOOL = runpy.run_path(str(Path(__file__).parents[3] / "tools" / "draw_summary.py"))


def test_body_has_the_diagram_for_mermaid_and_no_source() -> None:
    drawn = TOOL["body"](markdown(ALL["job_exact"], mermaid=True), is_open=True)
    assert drawn.count('<pre class="mermaid">gantt\n') == 1
    assert "language-mermaid" not in drawn
    assert drawn.count("<details open>") == drawn.count("</details>") == 3
