"""The generated pages of docs/models: `voltwin models pages --out docs/models`.

>>> from voltwin.models.evidence.pages import plausibility_page
>>> plausibility_page().startswith("# Models: plausibility")
True

Every figure is computed when a page is written; a test writes the pages again and compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from ..arrival_gate.operating_curve import OperatingCurve, SimulatedLot, operate
from ..arrival_gate.window_comparison import LEAKS, SIMULATED_LOTS, WindowComparison, compare
from ..base.columns import Trends
from ..base.units import SECONDS_PER_HOUR, ZERO_CELSIUS
from ..ocv_soc.files import CurveLibrary
from ..self_discharge.equivalent_age import exposure
from ..self_discharge.parameter_sets import ParameterSets
from .charts import Line, line_chart
from .comparison import case_study
from .comparison import compare as compare_figures

#: Share of sound modules both gates may reject: 10 of the 2000 simulated, enough for an estimate.
_FALSE_REJECTS: Final = 0.005

_WRITTEN: Final = "<!-- Written by `voltwin models pages`; do not edit by hand. -->\n\n"

_NOT_VALIDATED: Final = """## What is not validated

- No self-discharge rate here was measured on the cells of the case study. The default set is built from one
  published pair of monthly rates (a secondary source) and a judged activation energy; its relative sigma of
  50 % reflects that. A plant should use its own set: see `voltwin models fit`.
- The parameters of Deutschen et al. 2018, which the case study of the paper used, were not available; nothing
  is shipped under that name, and the paper's figures were not reproduced with them.
- The case study spends a day at 5 °C, below the range of the rates. The Arrhenius law is extrapolated
  there, and the results have the flag EXTRAPOLATED_T.
- Relaxation at partial charge (0.15 ± 0.1 mV for each factor e of time), the spread of the rate from cell to
  cell (20 %), the sigmas of entropic coefficients, curves and thermometers are judgements.
- The [operating curve](operating-curve.md) simulates a lot from the distributions that the gate assumes.
  It tests the decision and its arithmetic; it does not show that nature follows them.
- No cell was dismantled: nothing here shows that a rejected cell really leaks.
"""


def plausibility_page() -> str:
    """The comparison with public figures, as Markdown."""
    lines = [
        "# Models: plausibility\n",
        _WRITTEN,
        "Each public figure the models were built on, the value of the source, and the result of this code for the",
        "same question. Evidence: V read or computed in a primary file, S from a secondary source, U unverified.\n",
        "| figure | source | evidence | published | model | verdict | remark |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in compare_figures():
        cells = (row.figure, row.source, row.evidence, row.published, row.model, row.verdict, row.remark)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    sources = ["## Sources of the files shipped\n"]
    curves, sets = CurveLibrary.shipped().entries.values(), ParameterSets.shipped().entries.values()
    sources += [f"- curve `{curve.name}` ({curve.licence}): {curve.citation}" for curve in curves]
    sources += [f"- parameter set `{chosen.name}`: {'; '.join(chosen.citation)}" for chosen in sets]
    figures = ["\n## The case study by these models\n", "The three figures of the paper, with the default set:\n"]
    figures += [f"![{name.removesuffix('.svg')}]({name})\n" for name in case_study_charts()]
    return "\n".join([*lines, *figures, *sources, "\n" + _NOT_VALIDATED])


def case_study_charts() -> dict[str, str]:
    """Figure 3 of the paper by these models, SVG by file name: loss by age, trend, and loss over time."""
    chosen = ParameterSets.shipped().get("generic-nmc-literature")
    law = chosen.law("arrhenius")

    def lost(trends: Trends) -> float:
        return float(chosen.soc_factor.loss(np.array([0.5]), exposure(trends, law))[0]) * 100

    ages = np.linspace(250.0, 300.0, 26)
    whole = case_study(280.0)
    times = np.linspace(0.0, 280.0, 141)
    running = [lost(whole.within(whole.begins(), np.array([time * SECONDS_PER_HOUR]))) for time in times]
    nodes = np.append(whole.start, whole.end[-1]) / SECONDS_PER_HOUR
    celsius = np.append(whole.first, whole.last[-1]) - ZERO_CELSIUS
    by_age = Line("50 % charge at the end of the line", ages.tolist(), [lost(case_study(float(age))) for age in ages])
    return {
        "loss-by-age.svg": line_chart("Self-discharge at arrival by age", "age in h", "loss in %", [by_age]),
        "temperature-trend.svg": line_chart(
            "Temperature of one module",
            "age in h",
            "temperature in °C",
            [Line("trend", nodes.tolist(), celsius.tolist())],
        ),
        "loss-over-time.svg": line_chart(
            "Self-discharge of that module", "age in h", "loss in %", [Line("model", times.tolist(), running)]
        ),
    }


def operating_curve_page() -> tuple[str, dict[str, str]]:
    """Both gates over simulated lots: the page, and its charts by file name."""
    curves = {name: operate(lot, LEAKS) for name, lot in SIMULATED_LOTS.items()}
    lines = [
        "# Models: leaks found by the arrival gate\n",
        _WRITTEN,
        f"{SimulatedLot().modules} simulated modules of {SimulatedLot().cells} cells per lot, ages 250 to 300 h, one",
        "cell of each with a planted leak. Both gates receive the same voltages. The fixed window compares arrival and",
        "end-of-line voltage; the dynamic one each cell's deviation from its own expectation and from its",
        "siblings. `smallest leak` is found with a probability of 0.95.\n",
        "| lot | gate | limit | sound modules rejected | smallest leak in µA | relative to the dynamic window |",
        "|---|---|---|---|---|---|",
    ]
    found = [compare(name, curve, _FALSE_REJECTS) for name, curve in curves.items()]
    lines += [row for one in found for row in _table(one)]
    lines += [
        "",
        "The second and third line of each lot compare at the same false rejects",
        f"({_FALSE_REJECTS:.1%} of sound modules, {181 * _FALSE_REJECTS:.1f} of 181): both limits are",
        "tuned on the same data. The first line is the ±10 mV of the paper, unchanged.\n",
        "![detection against leak](operating-curve-leak.svg)\n",
        "![detection against false rejects](operating-curve-roc.svg)\n",
    ]
    return "\n".join(lines), _operating_charts(curves, found)


def _table(found: WindowComparison) -> list[str]:
    rows = []
    for gate, unit, limit, rejected, leak in (
        ("fixed", "mV", found.usual_limit, found.usual_false_rejects, found.smallest_usual),
        ("fixed", "mV", found.fixed_limit, found.false_rejects, found.smallest_fixed),
        ("dynamic", "sigma", found.dynamic_limit, found.false_rejects, found.smallest_dynamic),
    ):
        text = "not found" if np.isnan(leak) else f"{leak:.0f}"
        ratio = "-" if np.isnan(leak) else f"{leak / found.smallest_dynamic:.2f}"
        rows.append(f"| {found.lot} | {gate} | ±{limit:.2f} {unit} | {rejected:.2%} | {text} | {ratio} |")
    return rows


def _operating_charts(curves: Mapping[str, OperatingCurve], found: Sequence[WindowComparison]) -> dict[str, str]:
    soaked = next(iter(curves.values()))
    by_leak = []
    for name, one in zip(("soaked", "8 to 25 °C"), found[:2], strict=True):
        by_leak.append(Line(f"dynamic, {name}", one.leaks.tolist(), one.dynamic.tolist()))
        by_leak.append(Line(f"fixed, tuned, {name}", one.leaks.tolist(), one.fixed.tolist()))
    by_leak.append(Line("fixed ±10 mV, soaked", found[0].leaks.tolist(), found[0].usual.tolist()))
    shares = np.geomspace(0.001, 0.3, 60)
    roc = []
    for leak in (200.0, 300.0):
        at = int(np.searchsorted(soaked.leaks, leak))
        for gate, statistic in (("dynamic", soaked.dynamic), ("fixed", soaked.fixed)):
            caught = [float(statistic.detection(statistic.threshold(float(share)))[at]) * 100 for share in shares]
            roc.append(Line(f"{gate}, {leak:.0f} µA", (shares * 100).tolist(), caught))
    return {
        "operating-curve-leak.svg": line_chart(
            f"Leaks found at {_FALSE_REJECTS:.1%} false rejects", "leak in µA", "found in %", by_leak, y_range=(0, 100)
        ),
        "operating-curve-roc.svg": line_chart(
            "Leaks found against false rejects, soaked",
            "sound modules rejected in %",
            "found in %",
            roc,
            log_x=True,
            y_range=(0, 100),
        ),
    }


def all_pages() -> dict[str, str]:
    """Every generated file of docs/models by name."""
    page, charts = operating_curve_page()
    return {"plausibility.md": plausibility_page(), "operating-curve.md": page, **charts, **case_study_charts()}
