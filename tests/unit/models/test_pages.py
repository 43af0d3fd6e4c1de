from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voltwin.models.arrival_gate.operating_curve import SimulatedLot, operate
from voltwin.models.evidence.charts import Line, line_chart
from voltwin.models.evidence.comparison import compare
from voltwin.models.evidence.pages import all_pages

DOCS = Path(__file__).parents[3] / "docs" / "models"
SMALL = SimulatedLot(modules=300)
LEAKS = tuple(float(leak) for leak in range(0, 1301, 100))


def test_the_operating_curve_in_docs_is_the_one_computed() -> None:
    for name, text in all_pages().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, name


def test_every_row_that_is_no_text_book_rule_of_thumb_agrees() -> None:
    verdicts = {row.figure: row.verdict for row in compare()}
    assert [figure for figure, verdict in verdicts.items() if verdict == "disagrees"] == [
        "monthly loss, generic lithium-ion cell"
    ]
    assert list(verdicts.values()).count("agrees") >= 15


@pytest.mark.parametrize("lot", [SMALL, SimulatedLot(modules=300, arrival=(8.0, 25.0))])
def test_the_dynamic_window_finds_smaller_leaks_at_the_same_false_rejects(lot: Any) -> None:
    curve = operate(lot, LEAKS)
    fixed = curve.fixed.smallest_leak(curve.leaks, curve.fixed.threshold(0.02))
    dynamic = curve.dynamic.smallest_leak(curve.leaks, curve.dynamic.threshold(0.02))
    assert dynamic < 0.95 * fixed
    assert dynamic < 0.5 * curve.fixed.smallest_leak(curve.leaks, 10.0)


def test_sound_modules_are_rejected_no_more_often_than_stated() -> None:
    curve = operate(SimulatedLot(modules=1500, seed=3), (0.0, 100.0))
    # Two comparisons of 12 cells: at most 2 * 12 * 0.27 % of modules at z = 3; the comparisons overlap.
    assert 0.02 < curve.dynamic.false_rejects(3.0) < 2 * 12 * 0.0027
    detection = operate(SMALL, LEAKS).dynamic.detection(3.0)
    assert np.all(np.diff(detection) >= -0.01)


def test_a_chart_is_well_formed_and_shows_its_lines() -> None:
    chart = line_chart(
        "a < b", "x", "y", [Line("one", [1, 10, 100], [1, 2, float("nan")]), Line("two", [1], [1], True)], log_x=True
    )
    root = ElementTree.fromstring(chart)
    names = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"one", "two", "x", "y", "a < b"} <= set(names)
