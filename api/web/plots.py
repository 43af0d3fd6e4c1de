"""Plots for pages and reports: the frame that all share, and one series or trend over time.

    svg = plot_series(fleet["pump-1"]["pressure"], Style("svg", "dark"))         # for a dark web page

Pure: data in, bytes out; no display, no files.
"""

from __future__ import annotations

import io
import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from typing import Literal as OneOf

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...graphstore.paths.answers import Answer, SegmentOrigin, SeriesValue, Trend
from ..presentation.wording import symbol

if TYPE_CHECKING:  # matplotlib is imported where something is drawn: it takes half a second to load
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FileFormat = OneOf["png", "svg"]
Theme = OneOf["light", "dark"]
Place = OneOf["best", "upper left"]

_DRAWING: Final = threading.Lock()
"""matplotlib's text layout keeps state of its own: one plot at a time."""
_BUCKETS: Final = 1000
"""A longer series is drawn by the lowest and the highest sample of so many stretches of it."""


@dataclass(frozen=True)
class Style:
    """Format, colours and size of a plot; width and height in inches."""

    file: FileFormat = "png"
    theme: Theme = "light"
    width: float = 8.0
    height: float = 4.2
    dpi: int = 150


FOR_FILES: Final = Style()


@dataclass(frozen=True)
class Palette:
    """Colours that stay apart for colour-blind readers too; markers and line styles differ besides."""

    ground: str
    ink: str
    quiet: str
    grid: str
    measured: str
    guessed: str
    bad: str
    doubtful: str


PALETTES: Final[dict[Theme, Palette]] = {
    "light": Palette("#ffffff", "#1c2430", "#5b6673", "#e3e7ec", "#1f6fc4", "#c2570c", "#c0262d", "#9a6b00"),
    "dark": Palette("#171c23", "#e6eaf0", "#9aa6b4", "#2c343f", "#63a8f0", "#f0914a", "#f2777c", "#e3b341"),
}


@dataclass(frozen=True)
class Look:
    """Colour and line style of a line, and its name in the legend."""

    colour: str
    line: str | tuple[int, tuple[int, int]] = "-"
    label: str | None = None


def origin_looks(origins: Iterable[SegmentOrigin], colours: Palette) -> Iterator[Look]:
    """The looks of the segments of a trend: guesses are dashed, and the first of each origin has a name."""
    named: set[SegmentOrigin] = set()
    for origin in origins:
        label = None if origin in named else origin
        yield Look(colours.measured, "-", label) if origin == "measured" else Look(colours.guessed, (0, (5, 2)), label)
        named.add(origin)


def plot_series(answer: Answer, style: Style = FOR_FILES) -> bytes:
    """A series, or a trend with its segments, over time in UTC. Raises InputError for a value that is neither."""
    value = answer.value
    if not isinstance(value, SeriesValue | Trend):
        raise InputError(f"{answer.path}: has no samples over time; only a series or a trend can be plotted")
    figure, axes, colours = start_plot(style, _plain(answer.path))
    unit = symbol(answer.unit)
    axes.set_ylabel(_plain(f"{answer.path.rpartition('/')[2]}{f' ({unit})' if unit else ''}"), color=colours.ink)
    axes.set_xlabel("Time (UTC)", color=colours.ink)
    if isinstance(value, SeriesValue):
        _line(axes, value.times, value.values, Look(colours.measured))
    else:
        looks = origin_looks((segment.origin for segment in value.segments), colours)
        for segment, look in zip(value.segments, looks, strict=True):
            _line(axes, segment.times, segment.values, look)
        if value.segments:
            add_legend(axes, colours, "Origin", "best")
    if axes.lines:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib's dates are not typed
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # as above
        axes.xaxis.get_offset_text().set_color(colours.quiet)
    else:
        say_instead(axes, colours, "No samples yet")
    return finish_plot(figure, style)


def _line(axes: Axes, times: Sequence[int], values: Sequence[float], look: Look) -> None:
    if times:
        moments, shown = thin_out(np.asarray(times, np.int64), np.asarray(values, np.float64))
        marker = "o" if len(times) <= 60 else ""
        axes.plot(
            moments.astype("datetime64[us]"),
            shown,
            color=look.colour,
            linestyle=look.line,
            linewidth=1.8,
            marker=marker,
            markersize=3.5,
            label=look.label,
        )


def thin_out(
    times: NDArray[np.int64], values: NDArray[np.float64], buckets: int = _BUCKETS
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The lowest and the highest sample of each stretch of a long series; a short one as it is.

    ``times`` and ``values`` are (n,), ascending in time; so is the result, with at most twice as many as ``buckets``.
    """
    if len(times) <= 2 * buckets:
        return times, values
    edges = np.linspace(0, len(times), buckets + 1, dtype=np.int64)
    stretches = [slice(low, high) for low, high in itertools.pairwise(edges.tolist())]
    kept = {int(part.start + place(values[part])) for part in stretches for place in (np.nanargmin, np.nanargmax)}
    chosen = np.array(sorted(kept), np.int64)
    return times[chosen], values[chosen]


def _plain(text: str) -> str:
    """Text in which matplotlib finds no formula."""
    return text.replace("$", r"\$")


def start_plot(style: Style, title: str) -> tuple[Figure, Axes, Palette]:
    """A figure with one pair of axes in the style's colours; call it before any other import of matplotlib."""
    # Its modules import each other in a circle: two threads that load it at once leave it half loaded for good.
    with _DRAWING:
        import matplotlib.dates  # noqa: F401 - loaded here for those who import from it afterwards
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    colours = PALETTES[style.theme]
    figure = Figure(figsize=(style.width, style.height), dpi=style.dpi, facecolor=colours.ground, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=colours.ground)
    axes.set_title(title, color=colours.ink, loc="left", fontsize=12, fontweight="bold", pad=10)
    axes.grid(color=colours.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=colours.quiet, labelcolor=colours.ink, labelsize=9)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(colours.quiet)
    return figure, axes, colours


def add_legend(axes: Axes, colours: Palette, title: str, place: Place) -> None:
    """A legend inside the axes."""
    legend = axes.legend(
        title=title, loc=place, fontsize=9, frameon=True, facecolor=colours.ground, edgecolor=colours.grid
    )
    legend.get_title().set_color(colours.quiet)
    legend.get_title().set_fontsize(9)
    for text in legend.get_texts():
        text.set_color(colours.ink)


def say_instead(axes: Axes, colours: Palette, text: str) -> None:
    """A sentence where there is nothing to plot."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=colours.quiet)


def finish_plot(figure: Figure, style: Style) -> bytes:
    """The bytes of the file; the same data gives the same bytes."""
    import matplotlib as mpl

    out = io.BytesIO()
    metadata = {"Date": None} if style.file == "svg" else {"Software": None}
    # A fixed salt makes the same data give the same bytes.
    with _DRAWING, mpl.rc_context({"svg.hashsalt": "voltwin"}):
        figure.savefig(out, format=style.file, metadata=metadata, facecolor=figure.get_facecolor())
    return out.getvalue()
