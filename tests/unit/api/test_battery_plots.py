from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from voltwin.api.battery.fleet_table import key_figures, number_of, read_modules, sorted_rows
from voltwin.api.battery.plot_data import LossTrend, TemperatureTrend, loss_trend, losses_by_age, temperature_trend
from voltwin.api.battery.plots import (
    leaks_found,
    self_discharge_by_age,
    self_discharge_over_time,
    temperature_over_time,
    time_span,
)
from voltwin.api.web.plots import PALETTES, Style
from voltwin.errors import TwinNotFoundError, UnitError
from voltwin.graphstore.paths.answers import Answer
from voltwin.models.arrival_gate.operating_curve import SimulatedLot, operate
from voltwin.models.arrival_gate.window_comparison import compare

from .sample_fleet import AGES, DECISIONS, EOL, LOSSES, REASONS, make_fleet

SVG = Style("svg")


@pytest.fixture(scope="module")
def rows(fleet: Any) -> Any:
    return read_modules(fleet)


def test_the_table_holds_what_the_fleet_says(rows: Any) -> None:
    assert [row.key for row in rows] == sorted(AGES)
    for row in rows:
        assert row.age == AGES[row.key]
        assert row.loss == LOSSES[row.key]
        assert row.decision == DECISIONS[row.key]
        assert row.fixed_decision == "ACCEPT"
        assert set(row.reasons) == set(REASONS.get(row.key, ()))
        assert row.arrival == EOL + timedelta(hours=AGES[row.key])


def test_key_figures(rows: Any) -> None:
    figures = key_figures(rows)
    assert (figures.modules, figures.arrived) == (3, 3)
    assert figures.ages == (250, 300)
    assert figures.losses == (min(LOSSES.values()), max(LOSSES.values()))
    assert figures.decisions == {"ACCEPT": 1, "REJECT": 1, "RETEST": 1}
    assert figures.fixed_decisions == {"ACCEPT": 3}


def test_key_figures_of_nothing() -> None:
    figures = key_figures(())
    assert (figures.modules, figures.ages, figures.losses, figures.decisions) == (0, None, None, {})


def test_rows_without_a_value_come_last_either_way(rows: Any) -> None:
    unknown = dataclasses.replace(rows[0], key="module-0000", loss=None)
    for descending in (False, True):
        found = [row.key for row in sorted_rows((*rows, unknown), "loss", descending)]
        assert found[-1] == "module-0000"
        assert found[:-1] == sorted(LOSSES, key=LOSSES.__getitem__, reverse=descending)


def test_a_number_in_another_unit_is_not_taken() -> None:
    with pytest.raises(UnitError, match="FRACTION"):
        number_of(Answer("/m/loss", 0.001, "FRACTION"), "PERCENT")


def test_points_are_sorted_by_age_and_complete(rows: Any) -> None:
    unknown = dataclasses.replace(rows[0], key="x", loss_age=None)
    points = losses_by_age((unknown, *reversed(rows)))
    assert [(point.age, point.loss) for point in points] == [(AGES[k], LOSSES[k]) for k in sorted(AGES)]


def test_the_loss_is_the_one_for_the_arrival_test_though_runs_go_on(tmp_path: Path) -> None:
    with make_fleet(tmp_path, ["module-0001"]) as fleet:
        later = EOL + timedelta(hours=260)
        fleet.put("/module-0001/selfDischarge/trend", 0.5, unit="PERCENT", time=later, author="test")
        fleet.put("/module-0001/selfDischarge/loss", 0.5, unit="PERCENT", time=later, author="test")
        assert fleet.get("/module-0001/selfDischarge/loss").value == 0.5
        (row,) = read_modules(fleet)
        assert (row.loss, row.loss_age, row.age) == (LOSSES["module-0001"], 250, 250)
        assert loss_trend(fleet, "module-0001").loss[-1] == LOSSES["module-0001"]


def test_without_an_estimate_for_the_arrival_test_the_latest_is_shown_at_its_own_age(fleet: Any, rows: Any) -> None:
    class WithoutTrend:
        """The same fleet, its loss trends not there."""

        def all(self, path: Any) -> Any:
            return [] if path.endswith("/trend") else fleet.all(path)

        def query(self, text: Any, accept: Any = None) -> Any:
            return fleet.query(text, accept)

    assert read_modules(WithoutTrend()) == rows


def test_hours_count_from_the_end_of_line_test(fleet: Any) -> None:
    trend = temperature_trend(fleet, "module-0002")
    origins = [segment.origin for segment in trend.segments]
    assert origins == ["best guess", "best guess", "measured", "best guess", "best guess"]
    celsius = [segment.celsius[0] for segment in trend.segments]
    assert celsius == [20.0, 25.0, 20.0, 22.0, 20.0]
    assert min(trend.segments[2].celsius) == 5.2
    assert trend.segments[2].hours[0] == 180
    assert trend.segments[0].hours[0] == 0
    assert trend.segments[-1].hours[-1] == 280
    assert loss_trend(fleet, "module-0002").hours == (70.0, 140.0, 210.0, 280.0)


def test_what_is_not_there_is_told(fleet: Any) -> None:
    with pytest.raises(TwinNotFoundError):
        temperature_trend(fleet, "nobody")
    assert loss_trend(fleet, "truck-01") == LossTrend("truck-01", (), ())
    assert temperature_trend(fleet, "truck-01") == TemperatureTrend("truck-01", ())


def texts(svg: Any) -> Any:
    """The texts of a figure: matplotlib draws them as paths, and keeps each as a comment."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    root = ElementTree.fromstring(svg, parser)
    return [element.text.strip() for element in root.iter(ElementTree.Comment)]


def colours(svg: Any) -> Any:
    return svg.decode().lower()


def test_figure_a_names_axes_units_and_every_decision(rows: Any) -> None:
    svg = self_discharge_by_age(losses_by_age(rows), SVG)
    shown = texts(svg)
    assert "Self-discharge since end of line (% SOC)" in shown
    assert "Module, sorted by age (rank)" in shown
    assert "Age: end of line to arrival (h)" in shown
    assert {"ACCEPT (1)", "REJECT (1)", "RETEST (1)"} <= set(shown)
    assert {"250", "280", "300"} <= set(shown)


def test_the_operating_curve_names_each_window_with_its_limit() -> None:
    found = compare("soaked", operate(SimulatedLot(modules=100), (0.0, 500.0, 1000.0)), 0.02)
    shown = texts(leaks_found([found], SVG))
    assert {"dynamic window, soaked", f"fixed ±{found.fixed_limit:.1f} mV, soaked", "fixed ±10 mV, soaked"} <= set(
        shown
    )
    assert {"Leak in one cell (µA)", "Modules with it that are rejected (%)"} <= set(shown)


def test_figure_b_tells_measured_from_guessed(fleet: Any) -> None:
    svg = temperature_over_time(temperature_trend(fleet, "module-0002"), SVG)
    shown = texts(svg)
    assert {"measured", "best guess", "Temperature (°C)", "Time since end-of-line test (h)"} <= set(shown)
    light = PALETTES["light"]
    assert light.measured in colours(svg)
    assert light.guessed in colours(svg)
    assert "stroke-dasharray" in colours(svg)


def test_without_measured_segments_the_legend_does_not_claim_any(fleet: Any) -> None:
    trend = temperature_trend(fleet, "module-0002")
    guessed = dataclasses.replace(trend, segments=trend.segments[:1])
    assert "measured" not in texts(temperature_over_time(guessed, SVG))


def test_figure_c_spans_the_same_time_as_figure_b(fleet: Any) -> None:
    trend = temperature_trend(fleet, "module-0002")
    low, high = time_span(trend)  # type: ignore[misc]  # drawn values are wider than they seem
    assert low < 0 < 280 <= high
    svg = self_discharge_over_time(loss_trend(fleet, "module-0002"), (low, high), SVG)
    assert {"Self-discharge of module-0002 over time", "Time since end-of-line test (h)"} <= set(texts(svg))


def test_no_data_is_said_not_hidden() -> None:
    assert "No module has a loss estimate yet" in texts(self_discharge_by_age((), SVG))
    assert "No rule speaks for this module yet" in texts(temperature_over_time(TemperatureTrend("m", ()), SVG))
    assert "No estimate for this module yet" in texts(self_discharge_over_time(LossTrend("m", (), ()), None, SVG))


def test_png_and_svg_are_what_they_say_and_repeatable(rows: Any) -> None:
    points = losses_by_age(rows)
    png = self_discharge_by_age(points, Style("png"))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    svg = self_discharge_by_age(points, SVG)
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert svg == self_discharge_by_age(points, SVG)


def test_the_dark_figure_has_the_dark_ground(rows: Any) -> None:
    dark = self_discharge_by_age(losses_by_age(rows), Style("svg", "dark"))
    assert PALETTES["dark"].ground in colours(dark)
    assert PALETTES["light"].ground not in colours(dark)
