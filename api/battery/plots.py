"""The plots of the case study (figure 3 of Merkle 2019, doi 10.1145/3386164.3387296) and of its gate: data to bytes.

png = self_discharge_by_age(points)                              # bytes of a PNG
svg = temperature_over_time(trend, Style("svg", "dark"))         # for a dark web page
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ..web.plots import FOR_FILES, Palette, Style, add_legend, finish_plot, origin_looks, say_instead, start_plot
from .plot_data import GateComparison, LossPoint, LossTrend, TemperatureTrend

if TYPE_CHECKING:  # imported where something is drawn
    from matplotlib.axes import Axes

_MARKERS: Final = {"ACCEPT": "o", "REJECT": "X", "RETEST": "D"}
_COLOURS: Final = {"ACCEPT": "measured", "REJECT": "bad", "RETEST": "doubtful"}


def self_discharge_by_age(points: Sequence[LossPoint], style: Style = FOR_FILES) -> bytes:
    """Figure 3a: loss [% SOC] of every module, sorted by age; ages [h] are on the upper axis."""
    figure, axes, colours = start_plot(style, "Self-discharge of all modules, sorted by age")
    from matplotlib.ticker import MaxNLocator

    ranks = np.arange(1, len(points) + 1)
    losses = np.array([point.loss for point in points])
    kinds = [point.decision or "not decided" for point in points]
    for kind in sorted(set(kinds)):
        chosen = np.array([found == kind for found in kinds])
        colour = getattr(colours, _COLOURS.get(kind, "quiet"))
        axes.scatter(
            ranks[chosen],
            losses[chosen],
            s=16 if kind == "ACCEPT" else 42,
            marker=_MARKERS.get(kind, "s"),
            color=colour,
            linewidths=0,
            label=f"{kind} ({int(chosen.sum())})",
            zorder=2 if kind == "ACCEPT" else 3,
        )
    axes.set_xlabel("Module, sorted by age (rank)", color=colours.ink)
    axes.set_ylabel("Self-discharge since end of line (% SOC)", color=colours.ink)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    if points:
        axes.set_xlim(0, len(points) + 1)
        _age_axis(axes, [point.age for point in points], colours)
        add_legend(axes, colours, "Arrival test", "upper left")
    else:
        say_instead(axes, colours, "No module has a loss estimate yet")
    return finish_plot(figure, style)


def temperature_over_time(trend: TemperatureTrend, style: Style = FOR_FILES) -> bytes:
    """Figure 3b: the reasoner's temperature trend [°C] against hours since end of line."""
    figure, axes, colours = start_plot(style, f"Temperature trend of {trend.module}, from the reasoner")
    looks = origin_looks((segment.origin for segment in trend.segments), colours)
    for segment, look in zip(trend.segments, looks, strict=True):
        axes.plot(segment.hours, segment.celsius, color=look.colour, linestyle=look.line, linewidth=2, label=look.label)
    for before, after in itertools.pairwise(trend.segments):
        if before.hours and after.hours and before.hours[-1] == after.hours[0]:
            step = (before.celsius[-1], after.celsius[0])
            axes.plot([after.hours[0]] * 2, step, color=colours.quiet, linestyle=":", linewidth=1)
    _hours_axis(axes, colours)
    axes.set_ylabel("Temperature (°C)", color=colours.ink)
    if trend.segments:
        add_legend(axes, colours, "Origin", "best")
    else:
        say_instead(axes, colours, "No rule speaks for this module yet")
    return finish_plot(figure, style)


def self_discharge_over_time(trend: LossTrend, hours: tuple[float, float] | None, style: Style = FOR_FILES) -> bytes:
    """Figure 3c: one module's loss [% SOC] against hours since end of line; ``hours`` is the span to show."""
    figure, axes, colours = start_plot(style, f"Self-discharge of {trend.module} over time")
    axes.plot(
        trend.hours,
        trend.loss,
        color=colours.measured,
        linewidth=2,
        marker="o",
        markersize=3.5,
        label="self-discharge model, one run a marker",
    )
    _hours_axis(axes, colours)
    axes.set_ylabel("Self-discharge since end of line (% SOC)", color=colours.ink)
    axes.set_ylim(bottom=0.0)
    if hours is not None:
        axes.set_xlim(*hours)
    if trend.hours:
        add_legend(axes, colours, "", "upper left")
    else:
        say_instead(axes, colours, "No estimate for this module yet")
    return finish_plot(figure, style)


def leaks_found(comparisons: Sequence[GateComparison], style: Style = FOR_FILES) -> bytes:
    """The operating curve: share of leaky modules found [%] against the leak [µA], for each window and lot."""
    figure, axes, colours = start_plot(style, "Leaks that the arrival gate finds")
    # The first is drawn wider, so that it stays visible where the next one lies on it.
    for comparison, colour, width in zip(comparisons, (colours.measured, colours.guessed), (3.2, 1.6), strict=False):
        windows = (
            (comparison.dynamic, "-", "dynamic window"),
            (comparison.fixed, (0, (5, 2)), f"fixed ±{comparison.fixed_limit:.1f} mV"),
            (comparison.usual, ":", f"fixed ±{comparison.usual_limit:g} mV"),
        )
        for found, line, name in windows:
            label = f"{name}, {comparison.lot}"
            axes.plot(comparison.leaks, found, color=colour, linestyle=line, linewidth=width, label=label)
    axes.set_xlabel("Leak in one cell (µA)", color=colours.ink)
    axes.set_ylabel("Modules with it that are rejected (%)", color=colours.ink)
    axes.set_xlim(left=0.0)
    axes.set_ylim(0.0, 103.0)
    if comparisons:
        legend = figure.legend(loc="outside lower center", ncols=len(comparisons), fontsize=8, frameon=False)
        for text in legend.get_texts():
            text.set_color(colours.ink)
    return finish_plot(figure, style)


def time_span(trend: TemperatureTrend) -> tuple[float, float] | None:
    """From the first to the last hour of a trend with the margin that matplotlib gives its axis."""
    hours = [hour for segment in trend.segments for hour in segment.hours]
    if not hours:
        return None
    margin = 0.05 * (max(hours) - min(hours))
    return min(hours) - margin, max(hours) + margin


def _age_axis(axes: Axes, ages: Sequence[float], colours: Palette) -> None:
    """The ages of the ranks, above."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    upper = axes.secondary_xaxis("top")
    upper.set_facecolor("none")
    upper.set_xlabel("Age: end of line to arrival (h)", color=colours.ink)
    upper.tick_params(colors=colours.quiet, labelcolor=colours.ink, labelsize=9)
    upper.spines["top"].set_color(colours.quiet)
    upper.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))

    def age_at(rank: float, _: int | None = None) -> str:
        index = round(rank) - 1
        return f"{ages[index]:.0f}" if 0 <= index < len(ages) else ""

    upper.xaxis.set_major_formatter(FuncFormatter(age_at))


def _hours_axis(axes: Axes, colours: Palette) -> None:
    axes.set_xlabel("Time since end-of-line test (h)", color=colours.ink)
