"""Line charts as SVG text, for the pages: no plotting library, the same bytes for the same data.

>>> text = line_chart("Loss", "h", "%", [Line("model", [0, 100, 200], [0.0, 0.04, 0.08])])
>>> text.startswith("<svg") and text.rstrip().endswith("</svg>")
True
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

_WIDTH: Final = 720
_HEIGHT: Final = 420
_LEFT: Final = 70
_RIGHT: Final = 20
_TOP: Final = 44
_BOTTOM: Final = 56
#: Distinguishable with colour blindness (Okabe and Ito 2008), and by their dashes.
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DASHES: Final = ("", "8 4", "2 3", "10 3 2 3", "5 5", "1 4")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name in the legend and its points; ``marks`` draws the points alone."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    marks: bool = False


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    logarithmic: bool
    start: float
    end: float

    def place(self, value: float) -> float:
        low, high, at = (self._scale(v) for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def _scale(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def ticks(self) -> list[float]:
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        raw = (self.high - self.low) / 6
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def line_chart(
    title: str,
    x_label: str,
    y_label: str,
    lines: Sequence[Line],
    log_x: bool = False,
    y_range: tuple[float, float] | None = None,
) -> str:
    """An SVG document. A logarithmic axis needs positive values; points that are not finite are omitted."""
    usable = [_usable(line, log_x) for line in lines]
    xs = [x for line in usable for x in line.x]
    ys = [y for line in usable for y in line.y]
    x_axis = _Axis(min(xs), max(xs), log_x, _LEFT, _WIDTH - _RIGHT)
    low, high = y_range or (min(ys), max(ys))
    if y_range is None:
        margin = 0.05 * (high - low or 1.0)
        low, high = low - margin, high + margin
    y_axis = _Axis(low, high, False, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13"><title>{escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="15" font-weight="bold">{escape(title)}</text>',
        *_grid(x_axis, y_axis),
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text transform="translate(16 {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>",
    ]
    for number, line in enumerate(usable):
        parts += _draw(line, number, x_axis, y_axis)
    return "\n".join([*parts, *_legend(usable), "</svg>"]) + "\n"


def _usable(line: Line, log_x: bool) -> Line:
    pairs = [
        (float(x), float(y))
        for x, y in zip(line.x, line.y, strict=True)
        if math.isfinite(x) and math.isfinite(y) and (x > 0 or not log_x)
    ]
    return Line(line.name, [x for x, _ in pairs], [y for _, y in pairs], line.marks)


def _grid(x_axis: _Axis, y_axis: _Axis) -> list[str]:
    top, bottom, left, right = y_axis.end, y_axis.start, x_axis.start, x_axis.end
    parts = []
    for value in x_axis.ticks():
        x = x_axis.place(value)
        parts.append(f'<path d="M{x:.1f} {bottom}V{top}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{value:g}</text>')
    for value in y_axis.ticks():
        y = y_axis.place(value)
        parts.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    return [*parts, f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="black"/>']


def _draw(line: Line, number: int, x_axis: _Axis, y_axis: _Axis) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    points = [(x_axis.place(x), y_axis.place(y)) for x, y in zip(line.x, line.y, strict=True)]
    if line.marks:
        return [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = _DASHES[number % len(_DASHES)]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>']


def _legend(lines: Sequence[Line]) -> list[str]:
    parts = []
    for number, line in enumerate(lines):
        colour, y = _COLOURS[number % len(_COLOURS)], _HEIGHT - _BOTTOM - 12 - 18 * (len(lines) - 1 - number)
        x = _WIDTH - _RIGHT - 250
        if line.marks:
            parts.append(f'<circle cx="{x + 12}" cy="{y - 4}" r="3.5" fill="{colour}"/>')
        else:
            dash = _DASHES[number % len(_DASHES)]
            parts.append(f'<path d="M{x} {y - 4}h24" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')
        parts.append(f'<text x="{x + 30}" y="{y}">{escape(line.name)}</text>')
    return parts
