"""A bar chart as SVG, written by hand: no library, readable on light and dark pages."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LEFT, RIGHT, ROW, BAR, TOP = 760, 240, 90, 30, 16, 62

STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.page { fill: #ffffff; stroke: #d1d9e0 }
.title { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
.bar { fill: #8c959f } .ours { fill: #0969da } .spread { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117; stroke: #3d444d }
  text { fill: #e6edf3 } .small { fill: #9198a1 }
  .bar { fill: #656c76 } .ours { fill: #4493f8 } .spread { stroke: #e6edf3 }
}"""


def chart(title: str, notes: Sequence[str], seconds: Mapping[str, Sequence[float]], ours: frozenset[str]) -> str:
    """Draw a bar for each median, a line from the least to the most, and the median in words."""
    height = TOP + ROW * len(seconds) + 14
    scale = (WIDTH - LEFT - RIGHT) / max(max(taken) for taken in seconds.values())
    bars = [_bar(row, label, taken, scale, label in ours) for row, (label, taken) in enumerate(seconds.items())]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE}\n</style>",
            # Its own ground: the page around it may be dark where the reader's system is light.
            f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
            f'<text class="title" x="12" y="18">{escape(title)}</text>',
            *(
                f'<text class="small" x="12" y="{34 + 15 * n}">{escape(note)}</text>'
                for n, note in enumerate(notes[:2])
            ),
            *bars,
            "</svg>\n",
        ]
    )


def _bar(row: int, label: str, taken: Sequence[float], scale: float, ours: bool) -> str:  # noqa: FBT001
    top = TOP + ROW * row
    middle, text = top + BAR / 2, top + BAR - 3
    least, median, most = (LEFT + scale * value for value in (min(taken), statistics.median(taken), max(taken)))
    kind = "ours" if ours else "bar"
    return "\n".join(
        [
            f'<text x="{LEFT - 8}" y="{text}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{median - LEFT:.1f}" height="{BAR}" rx="2"/>',
            f'<line class="spread" x1="{least:.1f}" x2="{most:.1f}" y1="{middle}" y2="{middle}"/>',
            f'<text x="{most + 8:.1f}" y="{text}">{statistics.median(taken):.2f} s</text>',
        ]
    )
