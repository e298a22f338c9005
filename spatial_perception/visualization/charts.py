"""Line charts as inline SVG that follows the page's light or dark colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from spatial_perception.visualization.theme import Rgb

_WIDTH, _HEIGHT = 560, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 12, 30
_MARKERS_UP_TO = 60


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One line: (T,) x and y of equal length; a NaN in y is a gap."""

    name: str
    color: Rgb
    x: np.ndarray
    y: np.ndarray


def line_chart(series: Sequence[Series], x_label: str, y_max: float | None = None) -> str:
    """Returns an SVG element with one line a series, axes and round tick values.

    Args:
        series: The lines; with none the axes stay empty.
        x_label: Name and unit of the x axis.
        y_max: Upper end of the y axis; by default what the data needs.
    """
    finite = [line.y[np.isfinite(line.y)] for line in series]
    highest = max((float(values.max()) for values in finite if len(values)), default=1.0)
    y_ticks = round_ticks(0.0, y_max if y_max is not None else max(highest, 1.0))
    x_low = min((float(line.x.min()) for line in series if len(line.x)), default=0.0)
    x_high = max((float(line.x.max()) for line in series if len(line.x)), default=1.0)
    x_ticks = [tick for tick in round_ticks(x_low, x_high) if x_low <= tick <= x_high]
    to_x = _scale(x_low, max(x_high, x_low + 1e-6), _LEFT, _WIDTH - _RIGHT)
    to_y = _scale(y_ticks[0], y_ticks[-1], _HEIGHT - _BOTTOM, _TOP)
    parts = [f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">']
    for tick in y_ticks:
        y = to_y(tick)
        parts.append(f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    for tick in x_ticks:
        x, y = to_x(tick), _HEIGHT - _BOTTOM + 16
        parts.append(f'<text x="{x}" y="{y}" text-anchor="middle">{tick:g}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{_HEIGHT - 1}" text-anchor="middle">{escape(x_label)}</text>'
    )
    for line in series:
        points = [(to_x(x), to_y(y)) for x, y in zip(line.x, line.y, strict=True)]
        parts += _polylines(line, points)
    return "".join([*parts, "</svg>"])


def round_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Returns at most `most` + 1 evenly spaced round values that cover low .. high."""
    span = max(high - low, 1e-9)
    raw = span / most
    magnitude = 10.0 ** np.floor(np.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw * 0.999)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return [round(float(index * step), 9) for index in np.arange(first, last + 1)]


def _polylines(line: Series, points: list[tuple[float, float]]) -> list[str]:
    """Returns the runs between gaps, and a dot for each point where these are few."""
    color = "rgb({},{},{})".format(*line.color)
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if np.isfinite(point[1]):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    parts = []
    for run in runs:
        path = " ".join(f"{x},{y}" for x, y in run)
        parts.append(f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{path}"/>')
        if len(points) <= _MARKERS_UP_TO or len(run) == 1:
            parts += [f'<circle cx="{x}" cy="{y}" r="2.4" fill="{color}"/>' for x, y in run]
    return [f"<g><title>{escape(line.name)}</title>", *parts, "</g>"]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Returns the map of low .. high onto pixels start .. end, to a tenth."""
    factor = (end - start) / (high - low)
    return lambda value: round(float(start + (value - low) * factor), 1)
