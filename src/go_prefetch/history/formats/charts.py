"""Charts as inline SVG: small enough to be read on a phone, colored by the page's own style."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 420, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 12, 24
_INNER_WIDTH, _INNER_HEIGHT = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_TICKS = 4

Format = Callable[[float], str]

# Ends of a scale of time that divide into four round parts, in seconds.
_TIMES = (1, 2, 4, 8, 20, 40, 60, 120, 240, 480, 1200, 2400, 3600, 7200, 14400, 28800, 86400, 172800, 345600)


@dataclass(frozen=True)
class Series:
    """One line, or one color of the bars. `color` is a class of the page's style; None: nothing was measured."""

    name: str
    color: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Frame:
    """What charts of one page share: a label for each period, and the place of the comparison."""

    labels: Sequence[str]
    mark: float | None = None  # in periods from the left


def lines(title: str, frame: Frame, series: Sequence[Series], text: Format, top: float) -> str:
    """Return a line for each series, dots where a value stands alone; `top` is the end of the scale."""
    scale = _Scale(top, len(frame.labels))
    shapes = [_line(one, frame, scale, text) for one in series]
    return _figure(title, frame, series, scale, text, shapes)


def bars(title: str, frame: Frame, series: Sequence[Series], text: Format, top: float) -> str:
    """Return a bar for each period, one color on top of the other."""
    scale = _Scale(top, len(frame.labels))
    shapes = [_stack(place, frame, series, scale, text) for place in range(len(frame.labels))]
    return _figure(title, frame, series, scale, text, shapes)


@dataclass(frozen=True)
class _Scale:
    top: float
    periods: int

    def x(self, place: float) -> float:
        """Return the middle of a period."""
        return _LEFT + _INNER_WIDTH * (place + 0.5) / max(1, self.periods)

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return _TOP + _INNER_HEIGHT * (1 - min(1.0, max(0.0, value / self.top)))


def _figure(
    title: str, frame: Frame, series: Sequence[Series], scale: _Scale, text: Format, shapes: Sequence[str]
) -> str:
    legend = "".join(f'<span class="{one.color}"><i></i>{escape(one.name)}</span>' for one in series)
    marked = []
    if frame.mark is not None:
        at = f"{_LEFT + _INNER_WIDTH * frame.mark / max(1, scale.periods):.1f}"
        marked = [f'<line class="mark" x1="{at}" x2="{at}" y1="{_TOP}" y2="{_TOP + _INNER_HEIGHT}"/>']
    parts = [
        f'<figure><figcaption>{escape(title)}</figcaption><p class="legend">{legend}</p>',
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(scale, text),
        *_dates(frame, scale),
        *shapes,
        *marked,
        "</svg></figure>",
    ]
    return "\n".join(parts)


def _grid(scale: _Scale, text: Format) -> list[str]:
    shapes = []
    for tick in range(_TICKS + 1):
        value = scale.top * tick / _TICKS
        y = f"{scale.y(value):.1f}"
        shapes.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        shapes.append(f'<text x="{_LEFT - 6}" y="{y}" dy="4" text-anchor="end">{escape(text(value))}</text>')
    return shapes


def _dates(frame: Frame, scale: _Scale) -> list[str]:
    """Return the first, the middle and the last date: more would not fit on a phone."""
    last = len(frame.labels) - 1
    places = sorted({0, last // 2, last}) if last > 1 else range(last + 1)
    shapes = []
    for place in places:
        anchor = "start" if place == 0 and last > 1 else "end" if place == last and last > 1 else "middle"
        x = {"start": float(_LEFT), "end": float(_WIDTH - _RIGHT)}.get(anchor, scale.x(place))
        shapes.append(
            f'<text x="{x:.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{escape(frame.labels[place])}</text>'
        )
    return shapes


def _line(one: Series, frame: Frame, scale: _Scale, text: Format) -> str:
    points = [(scale.x(place), scale.y(value)) for place, value in enumerate(one.values) if value is not None]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(
        f'<circle cx="{scale.x(place):.1f}" cy="{scale.y(value):.1f}" r="3">'
        f"<title>{escape(f'{frame.labels[place]}: {one.name} {text(value)}')}</title></circle>"
        for place, value in enumerate(one.values)
        if value is not None
    )
    return f'<g class="line {one.color}"><polyline points="{path}"/>{dots}</g>'


def _stack(place: int, frame: Frame, series: Sequence[Series], scale: _Scale, text: Format) -> str:
    width = min(28.0, 0.7 * _INNER_WIDTH / max(1, scale.periods))
    x, below, shapes = scale.x(place) - width / 2, 0.0, []
    for one in series:
        value = one.values[place] or 0.0
        if value:
            top, bottom = scale.y(below + value), scale.y(below)
            label = escape(f"{frame.labels[place]}: {text(value)} {one.name}")
            shapes.append(
                f'<rect class="bar {one.color}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" '
                f'height="{bottom - top:.1f}"><title>{label}</title></rect>'
            )
        below += value
    return "".join(shapes)


def top_of_counts(series: Sequence[Series]) -> float:
    """Return the end of a scale for bars: the least of 4, 8, 20, 40, 80 … that no bar exceeds."""
    totals = [sum(one.values[place] or 0.0 for one in series) for place in range(len(series[0].values))]
    highest = max(totals, default=0.0)
    power = 10.0 ** math.floor(math.log10(max(highest, 1.0)))
    return next(factor * power for factor in (4, 8, 20) if factor * power >= highest)


def top_of_times(series: Sequence[Series]) -> float:
    """Return the end of a scale for these seconds: a round time that none exceeds."""
    highest = max((value for one in series for value in one.values if value is not None), default=0.0)
    days = 4 * 86400 * math.ceil(highest / (4 * 86400))
    return next((float(top) for top in _TIMES if top >= highest), float(days))
