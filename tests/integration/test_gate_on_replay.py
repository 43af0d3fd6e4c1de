"""The gate on the messages of the simulator, whose truth does not depend on the models."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from voltwin.models.registry import Registry
from voltwin.models.service.requests import answer
from voltwin.simulator.plan import ReplaySettings, plan_fleet
from voltwin.simulator.replay import replay, truth


def seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def quantity(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit}


def trend(begin: float, end: float, log: list[tuple[float, float]]) -> dict[str, Any]:
    """25 °C until the truck's first reading, its log, 22 °C to the arrival test."""
    segments = [(begin, log[0][0], 25.0, 25.0, "best guess")]
    segments += [(t, u, x, y, "measured") for (t, x), (u, y) in pairwise(log)]
    segments.append((log[-1][0], end, 22.0, 22.0, "best guess"))
    columns = zip(*segments, strict=True)
    names = ("start", "end", "startValue", "endValue", "origin")
    return {**{name: list(column) for name, column in zip(names, columns, strict=True)}, "unit": "DEG_C"}


def instances(plan: Any) -> dict[str, dict[str, Any]]:
    """A request instance for every module of a replay."""
    modules: dict[str, dict[str, Any]] = defaultdict(dict)
    trucks: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for message in replay(plan):
        record = json.loads(message.record())
        _, kind, *way = record["topic"].split("/")
        payload = record["payload"]
        if kind == "trucks":
            trucks[way[0]].append((seconds(payload["time"]), payload["temperature"]))
        elif kind == "modules":
            modules[way[0]]["/".join(way[1:])] = payload
    found = {}
    for key, told in modules.items():
        left, there = told["end-of-line"], told["arrival"]
        begin, end = seconds(told["transport/begin"]["time"]), seconds(told["transport/end"]["time"])
        log = [(t, x) for t, x in trucks[told["transport/begin"]["truck"]] if begin <= t <= end]
        found[key] = {
            "inputs": {
                "endOfLineOcv": quantity([cell["voltage"] for cell in left["cells"].values()], "V"),
                "endOfLineTemperature": quantity(left["temperature"], "DEG_C"),
                "endOfLineTime": quantity(seconds(left["time"]), "SEC"),
                "endOfLineRest": quantity(left["rest"], "HR"),
                "temperatureTrend": trend(seconds(left["time"]), seconds(there["time"]), log),
                "arrivalOcv": quantity([cell["voltage"] for cell in there["cells"].values()], "V"),
                "arrivalTemperature": quantity(there["temperature"], "DEG_C"),
                "arrivalTime": quantity(seconds(there["time"]), "SEC"),
                "arrivalRest": quantity(there["rest"], "HR"),
                "capacity": quantity(told["birth"]["capacity"], "A-HR"),
                "moduleOcv": quantity(there["ocv"], "V"),
            },
            "parameters": {"curve": told["birth"]["curve"]},
        }
    return found


@pytest.fixture(scope="module")
def judged() -> tuple[Any, dict[str, Any]]:
    plan = plan_fleet(ReplaySettings())
    requests = instances(plan)
    results = answer(Registry.discover(), "arrival-gate", {"instances": list(requests.values())})["results"]
    return truth(plan), {key: result["outputs"] for key, result in zip(requests, results, strict=True)}


def test_the_leaky_modules_are_rejected_and_no_other(judged: Any) -> None:
    told, outputs = judged
    assert len(outputs) == 181
    leaky = {item["module"] for item in told["leakyCells"]}
    rejected = {key for key, output in outputs.items() if output["decision"]["value"] == "REJECT"}
    assert rejected == leaky
    assert Counter(output["decision"]["value"] for output in outputs.values())["ACCEPT"] == 181 - len(leaky)


def test_the_cell_and_its_leak_are_named(judged: Any) -> None:
    told, outputs = judged
    for item in told["leakyCells"]:
        output = outputs[item["module"]]
        cell = int(item["cell"].removeprefix("cell-"))
        assert output["worstCell"]["value"] == cell
        found = output["leakCurrent"]["value"][cell - 1]
        assert found == pytest.approx(item["leakMicroampere"], abs=output["smallestDetectableLeak"]["value"] / 2)


def test_the_fixed_window_misses_the_smaller_leak(judged: Any) -> None:
    told, outputs = judged
    by_drop = {item["voltageDropMillivolt"]: item["module"] for item in told["leakyCells"]}
    assert outputs[by_drop[5.0]]["fixedWindowDecision"]["value"] == "ACCEPT"
    assert outputs[by_drop[15.0]]["fixedWindowDecision"]["value"] == "REJECT"
