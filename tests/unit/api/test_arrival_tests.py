"""The arrival gate's request as a fleet gives it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from voltwin.api.battery.arrival_tests import arrival_tests, gate_action, read_arrival_tests
from voltwin.errors import InputError, NotFoundError
from voltwin.graphstore.paths.answers import Answer

ROWS = [
    ("decide", "input", "endOfLineOcv <- cells/*/endOfLineOcv"),
    ("decide", "input", "arrivalOcv <- cells/*/arrivalOcv"),
    ("decide", "input", "arrivalTime <- arrivalTest/performedAt"),
    ("decide", "parameter", "curve <- curve"),
    ("decide", "parameter", "seriesCount = 2"),
]
NOON = datetime(2019, 4, 1, 12, tzinfo=UTC)


def cells(twin: Any, name: Any, values: Any, unit: str = "V") -> Any:
    return [Answer(f"/{twin}/cells/{cell}/{name}", value, unit) for cell, value in values.items()]


def answers(**changes: Any) -> Any:
    """Two modules that have arrived; ``changes`` replace what a path answered."""
    left = cells("m1", "endOfLineOcv", {"c1": 3.66, "c2": 3.67}) + cells("m2", "endOfLineOcv", {"c1": 3.6, "c2": 3.61})
    there = cells("m1", "arrivalOcv", {"c1": 3.65, "c2": 3.66}) + cells("m2", "arrivalOcv", {"c1": 3.59, "c2": 3.6})
    return {
        "cells/*/endOfLineOcv": left,
        "cells/*/arrivalOcv": there,
        "arrivalTest/performedAt": [Answer(f"/{twin}/arrivalTest/performedAt", NOON) for twin in ("m1", "m2")],
        "curve": [Answer(f"/{twin}/curve", "bpx-nmc111") for twin in ("m1", "m2", "waiting")],
        **{path.replace("__", "/*/"): value for path, value in changes.items()},
    }


def test_each_arrived_module_is_an_instance_with_units_and_parameters() -> None:
    found = arrival_tests(gate_action(ROWS), answers())
    assert (found.keys, found.left_out) == (("m1", "m2"), {})
    assert found.request["instances"][0] == {
        "inputs": {
            "endOfLineOcv": {"value": [3.66, 3.67], "unit": "V"},
            "arrivalOcv": {"value": [3.65, 3.66], "unit": "V"},
            "arrivalTime": {"value": NOON.timestamp(), "unit": "SEC"},
        },
        "parameters": {"curve": "bpx-nmc111", "seriesCount": 2},
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"curve": [Answer("/m1/curve", "bpx-nmc111")]}, "curve: is not there"),
        (
            {
                "cells__arrivalOcv": cells("m1", "arrivalOcv", {"c1": 3.65, "c2": 3.66})
                + cells("m2", "arrivalOcv", {"c2": 3.59, "c3": 3.6})
            },
            "not there for the same cells",
        ),
        (
            {
                "cells__endOfLineOcv": cells("m1", "endOfLineOcv", {"c1": 3.65, "c2": 3.66})
                + cells("m2", "endOfLineOcv", {"c1": 3.59})
                + cells("m2", "endOfLineOcv", {"c2": 3600.0}, "MilliV")
            },
            "one value in one unit",
        ),
    ],
)
def test_a_module_that_lacks_something_is_left_out_with_the_reason(changes: Any, reason: Any) -> None:
    found = arrival_tests(gate_action(ROWS), answers(**changes))
    assert found.keys == ("m1",)
    assert reason in found.left_out["m2"]


def test_what_the_gate_would_refuse_is_left_out_by_name_and_all_of_it_is_an_error() -> None:
    found = arrival_tests(gate_action(ROWS), answers())
    assert found.without({0: "arrivalTime: too early"}).left_out == {"m1": "arrivalTime: too early"}
    assert found.without({0: "arrivalTime: too early"}).keys == ("m2",)
    with pytest.raises(InputError, match="none of 2 modules can be used; m1: one"):
        found.without({0: "one", 1: "two"})


def test_one_kind_of_cell_can_be_chosen() -> None:
    mixed = [Answer("/m1/curve", "bpx-nmc111"), Answer("/m2/curve", "chen-2020")]
    found = arrival_tests(gate_action(ROWS), answers(curve=mixed))
    assert found.of_curve("chen-2020").keys == ("m2",)
    with pytest.raises(NotFoundError, match="curves are bpx-nmc111, chen-2020"):
        found.of_curve("lfp")


def test_a_model_without_a_gate_and_one_with_two_are_told_apart() -> None:
    with pytest.raises(NotFoundError, match="no action of the fleet has model = arrival-gate"):
        gate_action([])
    with pytest.raises(InputError, match="decide, other all run the arrival gate"):
        gate_action([*ROWS, ("other", "input", "arrivalOcv <- cells/*/arrivalOcv")])
    with pytest.raises(InputError, match="bound to @time"):
        gate_action([*ROWS, ("decide", "input", "arrivalTime <- @time")])


def test_the_case_study_says_itself_what_feeds_its_gate(fleet: Any) -> None:
    found = read_arrival_tests(fleet)
    assert set(found.keys) | set(found.left_out) == {"module-0001", "module-0002", "module-0003"}
