"""The report of a fleet as files: its plots as PNG, and one HTML page that holds everything.

    write_report(fleet, Path("report"), "module-0017", compare=compare_for_report)

``compare`` returns the arrival gate's operating curve, as the models compute it; it is called only where the
fleet has decisions of a gate. The page needs no server and no other file: styles and images are inside of it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ...errors import InputError, NotFoundError, TwinNotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import Answer, Trend
from ..web.plots import Style
from ..web.rendering import asset, render
from .fleet_table import key_figures, read_modules, sorted_rows
from .pages import shown_module, templates
from .plot_data import GateComparison, loss_trend, losses_by_age, temperature_trend
from .plots import leaks_found, self_discharge_by_age, self_discharge_over_time, temperature_over_time, time_span

PLOTS: Final = (
    ("figure3a", "Self-discharge of all modules, sorted by age"),
    ("figure3b", "Temperature trend of {module}, from the reasoner"),
    ("figure3c", "Self-discharge of {module} over time"),
)
OPERATING_CURVE: Final = "operating-curve.png"

Comparisons = Callable[[], Sequence[GateComparison]]


@dataclass(frozen=True)
class ReportFiles:
    """A report before it is written."""

    images: dict[str, bytes]
    html: str


def write_report(
    fleet: FleetAccess, folder: Path, module: str | None = None, compare: Comparisons | None = None
) -> list[Path]:
    """Write the PNG files and report.html into ``folder``, which is made; returns their paths.

    ``module``: whose trends are shown; module-0017 or the first, if left out. Raises TwinNotFoundError
    for a module that is not there, InputError for a folder that cannot be written.
    """
    report = make_report(fleet, module, compare)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, body in {**report.images, "report.html": report.html.encode()}.items():
            (folder / name).write_bytes(body)
            paths.append(folder / name)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    return paths


def make_report(fleet: FleetAccess, module: str | None = None, compare: Comparisons | None = None) -> ReportFiles:
    """The report of a fleet as values. Raises TwinNotFoundError."""
    rows = read_modules(fleet)
    shown = shown_module(rows, module)
    if module is not None and shown != module:
        raise TwinNotFoundError(f"module {module!r}: there is no such module; `voltwin get /` lists all twins")
    if shown is None:
        raise NotFoundError("report: the fleet has no module yet; send messages first")
    temperature, loss = temperature_trend(fleet, shown), loss_trend(fleet, shown)
    style = Style("png", "light")
    images = {
        "figure3a.png": self_discharge_by_age(losses_by_age(rows), style),
        "figure3b.png": temperature_over_time(temperature, style),
        "figure3c.png": self_discharge_over_time(loss, time_span(temperature), style),
    }
    figures = key_figures(rows)
    comparisons = compare() if compare is not None and figures.decisions else ()
    if comparisons:
        images[OPERATING_CURVE] = leaks_found(comparisons, style)
    values: dict[str, Any] = {
        "figures": figures,
        "comparisons": comparisons,
        "operating_curve": base64.b64encode(images[OPERATING_CURVE]).decode("ascii") if comparisons else "",
        "totals": dict(fleet.status()),
        "rows": sorted_rows(rows, "age", descending=False),
        "refused": [row for row in rows if row.decision not in (None, "ACCEPT")],
        "differing": [row for row in rows if row.decision and row.decision != row.fixed_decision],
        "module": shown,
        "temperature": temperature,
        "sources": _sources(fleet, shown),
        "style": asset("static", "style.css") + asset("static", "battery.css", __package__),
        "images": [
            (name, caption.format(module=shown), base64.b64encode(images[f"{name}.png"]).decode("ascii"))
            for name, caption in PLOTS
        ],
    }
    return ReportFiles(images, render(templates(), "report.html", **values))


_SOURCES: Final = (
    ("Age", "endOfLineTest/performedAt"),
    ("Age", "arrivalTest/performedAt"),
    ("State of charge", "stateOfCharge"),
    ("Loss", "selfDischarge/loss"),
    ("Arrival test", "arrivalTest/decision"),
    ("Fixed window", "arrivalTest/fixedWindowDecision"),
    ("Temperature trend", "reasoner/temperatureTrend"),
)


def _sources(fleet: FleetAccess, module: str) -> list[tuple[str, Answer, bool]]:
    """The sources of the columns, for one module; the flag marks trends, whose rules the page lists."""
    found = []
    for label, path in _SOURCES:
        try:
            answer = fleet[module][path]
        except NotFoundError:
            continue
        found.append((label, answer, isinstance(answer.value, Trend)))
    return found
