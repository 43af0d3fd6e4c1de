from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from voltwin.errors import InputError
from voltwin.models.registry import Registry
from voltwin.models.self_discharge.model import SelfDischargeModel
from voltwin.models.self_discharge.parameter_sets import ParameterSets, read_parameter_set
from voltwin.models.service.requests import answer

from .samples import discharge_instance


def rate(celsius: Any, percent_per_month: Any, sigma: Any = 10) -> Any:
    return {
        "temperature": {"value": celsius, "unit": "DEG_C"},
        "rate": {"value": percent_per_month, "unit": "PERCENT-PER-MO"},
        "relativeSigma": {"value": sigma, "unit": "PERCENT"},
    }


def content(*rates: Any, **changes: Any) -> Any:
    whole = {
        "name": "plant-2024",
        "version": "1.0.0",
        "citation": ["measured in the plant"],
        "validTemperature": {"minimum": 25, "maximum": 60, "unit": "DEG_C"},
        "validStateOfCharge": {"minimum": 10, "maximum": 90, "unit": "PERCENT"},
        "rates": list(rates),
        "beta": {"value": 0.87, "sigma": 0.1},
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("sets") / "pieces.json"
    path.write_text(json.dumps(content(*THREE)))
    return read_parameter_set(path)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def writer(data: Any) -> Any:
        path = tmp_path / "parameters" / "set.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data))
        return path

    return writer


TWO = (rate(25, 0.28), rate(60, 0.28 * 2.5))
THREE = (rate(25, 0.28), rate(45, 0.9), rate(60, 1.6))


@pytest.mark.parametrize("policy", ["arrhenius", "linear", "clamp"])
@pytest.mark.parametrize("rates", [TWO, THREE])
def test_at_a_measured_temperature_the_measured_rate_comes_back(write: Any, policy: Any, rates: Any) -> None:
    chosen = read_parameter_set(write(content(*rates)))
    law = chosen.law(policy)
    for item in rates:
        kelvin = np.array([item["temperature"]["value"] + 273.15])
        month = law.rate(kelvin)[0] * 730 * 100
        assert month == pytest.approx(item["rate"]["value"], rel=1e-12)
        assert law.mean(kelvin, kelvin)[0] * 730 * 100 == pytest.approx(item["rate"]["value"], rel=1e-12)


@given(st.sampled_from(["arrhenius", "linear", "clamp"]), st.floats(15, 75), st.floats(15, 75))
def test_a_ramp_through_several_pieces_is_integrated_exactly(pieces: Any, policy: Any, first: Any, last: Any) -> None:
    law = pieces.law(policy)
    t0, t1 = first + 273.15, last + 273.15
    got = law.mean(np.array([t0]), np.array([t1]))[0]
    knots = [(k + 273.15 - t0) / (t1 - t0) for k in (25, 45, 60)] if abs(t1 - t0) > 1e-6 else []
    inside = sorted(k for k in knots if 0 < k < 1)
    edges = [0.0, *inside, 1.0]
    expected = sum(
        quad(lambda u: law.rate(np.array([t0 + u * (t1 - t0)]))[0], a, b, epsabs=0, epsrel=1e-13)[0]
        for a, b in pairwise(edges)
    )
    assert got == pytest.approx(expected, rel=1e-11)


def test_clamp_holds_the_ends(write: Any) -> None:
    law = read_parameter_set(write(content(*THREE))).law("clamp")
    cold, hot = law.rate(np.array([263.15, 353.15])) * 730 * 100
    assert cold == pytest.approx(0.28)
    assert hot == pytest.approx(1.6)


def run_with(path: Any, *instances: Any) -> Any:
    registry = Registry.of([SelfDischargeModel.shipped(path.parent.parent)])
    return answer(registry, "self-discharge", {"instances": list(instances)})["results"]


def test_linear_is_refused_where_it_turns_negative_and_only_there(write: Any) -> None:
    steep = write(content(rate(25, 0.28), rate(60, 0.28 * 2.8)))
    parameters = {"parameterSet": "plant-2024", "policy": "linear"}
    result = run_with(steep, discharge_instance(parameters=parameters))[0]
    assert result["error"]["field"] == "policy"
    assert "negative at 5.0 °C" in result["error"]["message"]
    mild = write(content(rate(25, 0.28), rate(60, 0.28 * 2.7)))
    assert "outputs" in run_with(mild, discharge_instance(parameters=parameters))[0]


def test_a_user_set_answers_beside_the_default_one(write: Any) -> None:
    path = write(content(*TWO))
    own = discharge_instance(parameters={"parameterSet": "plant-2024"})
    both = run_with(path, discharge_instance(), own)
    alone = run_with(path, own)[0]
    assert both[1] == alone
    assert both[0]["outputs"]["loss"]["value"] == pytest.approx(0.084638, abs=5e-7)
    assert both[1]["outputs"]["loss"]["value"] > both[0]["outputs"]["loss"]["value"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rates": [rate(25, 0)]}, "must be positive"),
        ({"rates": [rate(25, -0.1)]}, "must be positive"),
        ({"rates": []}, "at least one"),
        ({"rates": [rate(25, 0.28)]}, "activationEnergy"),
        ({"rates": [rate(25, 0.3), rate(25, 0.3)]}, "keep one"),
        ({"rates": [rate(25, 0.3), rate(60, 0.2)]}, "falls from 25 to 60"),
        ({"rates": [{**rate(25, 0.3), "rate": {"value": 0.3, "unit": "V"}}, rate(60, 2)]}, "measures voltage"),
        ({"rates": [{**rate(25, 0.3), "rate": {"value": 0.3}}, rate(60, 2)]}, "unit"),
        ({"validTemperature": {"minimum": 60, "maximum": 25, "unit": "DEG_C"}}, "below maximum"),
        ({"timeExponent": 3}, "timeExponent"),
        ({"name": None}, "name: missing"),
        ({"beta": {"value": "steep"}}, "beta.value"),
        ({"socFactor": {"stateOfCharge": [0, 100], "unit": "PERCENT", "factor": [1, 1]}}, "keep one of the two"),
        ({"beta": None, "socFactor": {"stateOfCharge": [0, 100], "unit": "PERCENT", "factor": [1, 0]}}, "positive"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name_and_field(write: Any, change: Any, words: Any) -> None:
    path = write(content(**{"rates": list(TWO), **change}))
    with pytest.raises(InputError, match=r"set\.json") as caught:
        read_parameter_set(path)
    assert words in str(caught.value)


def test_a_tabulated_factor_gives_what_its_formula_gives(write: Any) -> None:
    points = np.linspace(0, 100, 201)
    table = {
        "stateOfCharge": points.tolist(),
        "unit": "PERCENT",
        "factor": np.exp(0.87 * (points / 100 - 0.5)).tolist(),
    }
    formula = write(content(*TWO))
    parameters = {"parameterSet": "plant-2024"}
    one = run_with(formula, discharge_instance(cells=[10, 50, 95.0], parameters=parameters))[0]["outputs"]
    tabled = write(content(*TWO, beta=None, socFactor=table))
    two = run_with(tabled, discharge_instance(cells=[10, 50, 95.0], parameters=parameters))[0]["outputs"]
    assert two["cellLoss"]["value"] == pytest.approx(one["cellLoss"]["value"], abs=1e-7)
    assert two["lossSigmaRate"]["value"] == pytest.approx(one["lossSigmaRate"]["value"], rel=1e-4)


def test_a_power_law_slows_down_and_forgets_nothing_of_its_age(write: Any) -> None:
    root = write(content(*TWO, timeExponent=0.5))
    parameters = {"parameterSet": "plant-2024"}
    results = run_with(
        root,
        discharge_instance(250, parameters=parameters),
        discharge_instance(250, parameters=parameters, ageBefore={"value": 5000, "unit": "HR"}),
    )
    fresh, aged = (result["outputs"]["loss"]["value"] for result in results)
    assert aged < fresh / 3
    tau = results[0]["outputs"]["equivalentAge"]["value"]
    assert fresh == pytest.approx(0.28 * (tau / 730) ** 0.5, rel=2e-3)


def test_shipped_sets_are_readable_and_cited() -> None:
    for chosen in ParameterSets.shipped().entries.values():
        assert chosen.citation
        assert chosen.rate_at_25 > 0
        assert chosen.valid_temperature[0] < 298.15 < chosen.valid_temperature[1]
