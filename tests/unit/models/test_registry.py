from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from voltwin.errors import EnvironmentProblem, InputError, NotFoundError, UnitError
from voltwin.models import registry as registry_module
from voltwin.models.base.units import UNITS, convert, scale
from voltwin.models.registry import Registry


def write_curve(folder: Any, **changes: Any) -> None:
    description = {
        "name": "own-cell",
        "version": "1.0.0",
        "file": "own.csv",
        "citation": "plant",
        "licence": "own",
        "referenceTemperature": {"value": 25, "unit": "DEG_C"},
        "validTemperature": {"minimum": 0, "maximum": 45, "unit": "DEG_C"},
        "entropy": "none",
        "entropySigma": {"value": 0.2, "unit": "MilliV-PER-K"},
        "curveSigma": {"value": 2, "unit": "MilliV"},
        **changes,
    }
    (folder / "own.json").write_text(json.dumps(description))


def test_an_unknown_model_names_the_known(registry: Any) -> None:
    with pytest.raises(NotFoundError, match="arrival-gate, ocv-soc"):
        registry.get("oracle")


@pytest.mark.parametrize(
    ("value", "words"), [("no.such.module:x", "cannot be loaded"), ("builtins:dict", "does not follow")]
)
def test_an_entry_point_that_is_no_model_is_named(monkeypatch: pytest.MonkeyPatch, value: Any, words: Any) -> None:
    point = EntryPoint("broken", value, registry_module.GROUP)
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [point])
    with pytest.raises(EnvironmentProblem, match=words):
        Registry.discover()


def test_a_model_of_another_package_replaces_ours_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("ocv-soc", "builtins:dict", registry_module.GROUP),
        EntryPoint("ocv-soc", "voltwin.models.ocv_soc.model:OcvSocModel.shipped", registry_module.GROUP),
    ]
    for order in (points, points[::-1]):
        monkeypatch.setattr(registry_module, "entry_points", lambda group, order=order: order)
        with pytest.raises(EnvironmentProblem, match="builtins:dict"):
            Registry.discover()


def test_files_of_ones_own_are_known_to_every_model(tmp_path: Path) -> None:
    for kind in ("curves", "parameters", "relaxations"):
        (tmp_path / kind).mkdir()
    points = [[s / 20, 3.0 + s / 20 + (s / 20) ** 2 / 10] for s in range(21)]
    table = "# measured in the plant\nsoc,ocv_V\n" + "".join(f"{soc},{ocv}\n" for soc, ocv in points)
    (tmp_path / "curves" / "own.csv").write_text(table)
    write_curve(tmp_path / "curves")
    relaxation = {
        "name": "own-rest",
        "version": "1.0.0",
        "amplitude": {"value": 0.2, "sigma": 0.02, "unit": "MilliV"},
        "validRest": {"minimum": 1, "maximum": 500, "unit": "HR"},
        "validStateOfCharge": {"minimum": 10, "maximum": 90, "unit": "PERCENT"},
    }
    (tmp_path / "relaxations" / "own.json").write_text(json.dumps(relaxation))
    found = Registry.discover(tmp_path)
    assert "own-cell" in found.get("ocv-soc").library.entries
    assert "own-cell" in found.get("arrival-gate").library.entries
    assert "own-rest" in found.get("arrival-gate").relaxations.entries
    with pytest.raises(InputError, match="is not a folder"):
        Registry.discover(tmp_path / "absent")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entropy": "maybe"}, "table, curves or none"),
        ({"entropy": "table"}, "dUdT_cell_V_per_K"),
        ({"entropy": "curves"}, "two or more columns"),
        ({"file": "absent.csv"}, "cannot be read"),
        ({"file": "falling.csv"}, "not monotone at soc 0.5"),
        ({"file": "words.csv"}, "must hold only numbers"),
        ({"file": "percent.csv"}, "a fraction"),
        ({"referenceTemperature": {"value": 25}}, "unit"),
        ({"validTemperature": {"minimum": 45, "maximum": 0, "unit": "DEG_C"}}, "validTemperature: minimum must be at"),
    ],
)
def test_a_curve_that_cannot_be_is_refused_by_field(tmp_path: Path, change: Any, words: Any) -> None:
    tables = {
        "own.csv": [(0, 3.0), (0.25, 3.2), (0.5, 3.4), (0.75, 3.6), (1, 4.0)],
        "falling.csv": [(0, 3.0), (0.25, 3.2), (0.5, 3.4), (0.75, 3.3), (1, 4.0)],
        "words.csv": [(0, 3.0), (0.25, "low"), (0.5, 3.4), (0.75, 3.6), (1, 4.0)],
        "percent.csv": [(0, 3.0), (25, 3.2), (50, 3.4), (75, 3.6), (100, 4.0)],
    }
    (tmp_path / "curves").mkdir()
    for name, rows in tables.items():
        text = "soc,ocv_V\n" + "".join(f"{soc},{ocv}\n" for soc, ocv in rows)
        (tmp_path / "curves" / name).write_text(text)
    write_curve(tmp_path / "curves", **change)
    with pytest.raises(InputError, match=r"own\.json") as caught:
        Registry.discover(tmp_path)
    assert words in str(caught.value)


def test_units_convert_there_and_back_within_a_dimension_and_not_across() -> None:
    for source in UNITS.values():
        for target in UNITS.values():
            if source.dimension == target.dimension:
                there = convert(12.5, source.name, target.name)
                assert convert(there, target.name, source.name) == pytest.approx(12.5, rel=1e-9)
            else:
                with pytest.raises(UnitError, match="measures"):
                    scale(source.name, target.name)
    with pytest.raises(UnitError, match="not known"):
        convert(1.0, "volts", "V")
    assert convert(77.0, "DEG_F", "DEG_C") == pytest.approx(25.0)
    assert convert(1.0, "PERCENT-PER-MO", "PER-HR") == pytest.approx(0.01 / 730)
