"""The model service in a process of its own, over HTTP."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import validate

from voltwin.models.registry import Registry
from voltwin.models.service.requests import answer

pytestmark = pytest.mark.integration

HOUR = 3600.0
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "unit", "inputs", "instances", "ocv", "start"]), inner, max_size=3)
    ),
    max_leaves=6,
)
START = 1.56e9


def quantity(value: Any, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit}


def trend(hours: float, celsius: float) -> dict[str, Any]:
    return {
        "start": [START],
        "end": [START + hours * HOUR],
        "startValue": [celsius],
        "endValue": [celsius],
        "origin": ["best guess"],
        "unit": "DEG_C",
    }


INSTANCES: dict[str, Any] = {
    "ocv-soc": {
        "inputs": {"ocv": quantity([3.65, 3.66], "V"), "temperature": quantity(24.8, "DEG_C")},
        "parameters": {"curve": "bpx-nmc111"},
    },
    "self-discharge": {
        "inputs": {
            "soc": quantity([50.0] * 12, "PERCENT"),
            "temperatureTrend": trend(280, 25.0),
            "until": quantity(START + 250 * HOUR, "SEC"),
        }
    },
    "arrival-gate": {
        "inputs": {
            "endOfLineOcv": quantity([3.6729] * 12, "V"),
            "endOfLineTemperature": quantity(25.0, "DEG_C"),
            "endOfLineTime": quantity(START, "SEC"),
            "endOfLineRest": quantity(6.0, "HR"),
            "temperatureTrend": trend(280, 24.0),
            "arrivalOcv": quantity([3.6719] * 12, "V"),
            "arrivalTemperature": quantity(24.0, "DEG_C"),
            "arrivalTime": quantity(START + 280 * HOUR, "SEC"),
            "arrivalRest": quantity(286.0, "HR"),
            "capacity": quantity(12.5, "A-HR"),
            "moduleOcv": quantity(12 * 3.6719, "V"),
        },
        "parameters": {"seriesCount": 12, "parallelCount": 1, "z": 4},
    },
}


class Service:
    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if body is not None else {})
            response = connection.getresponse()
            return response.status, response.read(), response.headers["Content-Type"]
        finally:
            connection.close()

    def run(self, model: str, request: Any) -> tuple[int, Any]:
        status, body, _ = self.ask("POST", f"/models/{model}/run", json.dumps(request).encode())
        return status, json.loads(body)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    process = subprocess.Popen(
        [sys.executable, "-m", "voltwin.cli", "models", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("models on http://127.0.0.1:"), line
        yield Service(int(line.rsplit(":", 1)[1]))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        process.stdout.close()


def test_health_names_the_models_and_their_versions(service: Any) -> None:
    status, body, _ = service.ask("GET", "/health")
    registry = Registry.discover()
    assert status == 200
    assert json.loads(body) == {
        "status": "ok",
        "models": {name: registry.get(name).version for name in registry.names()},
    }


def test_models_tells_ports_shapes_and_units(service: Any) -> None:
    _, body, _ = service.ask("GET", "/models")
    models = {model["name"]: model for model in json.loads(body)["models"]}
    ocv = next(port for port in models["ocv-soc"]["inputs"] if port["name"] == "ocv")
    assert (ocv["shape"], ocv["unit"], ocv["optional"]) == ("cells", "V", False)


@pytest.mark.parametrize("model", sorted(INSTANCES))
def test_over_rest_and_in_process_the_answer_is_the_same(service: Any, model: Any) -> None:
    request = {"instances": [INSTANCES[model], {"inputs": {}}, INSTANCES[model]]}
    status, reply = service.run(model, request)
    assert status == 200
    assert reply == answer(Registry.discover(), model, request)
    assert [sorted(result) for result in reply["results"]] == [["outputs"], ["error"], ["outputs"]]


def test_a_sound_module_is_accepted(service: Any) -> None:
    _, reply = service.run("arrival-gate", {"instances": [INSTANCES["arrival-gate"]]})
    assert reply["results"][0]["outputs"]["decision"] == {"value": "ACCEPT"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b"[]", "request"),
        (b"{}", "instances"),
        (b'{"instances": {}}', "instances"),
        (b'{"instances": [], "extra": 1}', "extra"),
        (b"\xff\xfe", "body"),
    ],
)
def test_a_malformed_request_is_a_422_that_names_the_field(service: Any, body: Any, field: Any) -> None:
    status, reply, _ = service.ask("POST", "/models/ocv-soc/run", body)
    assert status == 422
    assert json.loads(reply)["error"]["field"] == field


def test_an_instance_with_a_wrong_unit_names_field_and_unit(service: Any) -> None:
    bad = {"inputs": {"ocv": quantity([3.65], "A-HR")}}
    status, reply = service.run("ocv-soc", {"instances": [bad]})
    assert status == 200
    error = reply["results"][0]["error"]
    assert error["field"] == "ocv"
    assert "A-HR" in error["message"]
    assert error["unit"] == "V"


@pytest.mark.parametrize("model", sorted(INSTANCES))
def test_a_single_instance_needs_no_list(service: Any, model: Any) -> None:
    status, reply = service.run(model, INSTANCES[model])
    _, batch = service.run(model, {"instances": [INSTANCES[model]]})
    assert status == 200
    assert reply == {"model": model, "version": batch["version"], "outputs": batch["results"][0]["outputs"]}


@pytest.mark.parametrize(
    ("inputs", "parameters", "field", "unit", "words"),
    [
        ({"ocv": quantity([3.65], "K")}, {}, "ocv", "V", "wanted is voltage"),
        ({"ocv": {"value": [3.65]}}, {}, "ocv", "V", "has no unit"),
        ({"ocv": quantity([3.65], "V"), "temperature": quantity(298.0, "DEG_C")}, {}, "temperature", "DEG_C", "kelvin"),
        ({"ocv": quantity([9.0], "V")}, {}, "ocv", "V", "curve"),
        ({"ocv": quantity([3.65], "V")}, {"voltageSigma": 0.5}, "voltageSigma", "MilliV", "has no unit"),
        ({"ocv": quantity([3.65], "V")}, {"curve": "lfp"}, "curve", None, "bpx-nmc111"),
        ({}, {}, "ocv", "V", "missing"),
    ],
)
def test_a_single_instance_that_is_wrong_is_a_422_with_field_and_unit(
    service: Any, inputs: Any, parameters: Any, field: Any, unit: Any, words: Any
) -> None:
    status, reply = service.run("ocv-soc", {"inputs": inputs, "parameters": parameters})
    assert status == 422
    assert (reply["error"]["field"], reply["error"].get("unit")) == (field, unit)
    assert words in reply["error"]["message"]


def test_an_unknown_model_is_a_404_with_the_known_ones(service: Any) -> None:
    status, reply = service.run("crystal-ball", {"instances": []})
    assert status == 404
    assert "arrival-gate" in reply["error"]["message"]


def test_what_json_cannot_say_is_refused_and_not_passed_on(service: Any) -> None:
    status, reply, _ = service.ask(
        "POST", "/models/ocv-soc/run", b'{"instances": [{"inputs": {"ocv": {"value": [NaN], "unit": "V"}}}]}'
    )
    assert status == 200
    assert "finite" in json.loads(reply)["results"][0]["error"]["message"]


def test_metrics_count_what_was_asked(service: Any) -> None:
    def counted() -> int:
        _, body, kind = service.ask("GET", "/metrics")
        assert kind.startswith("text/plain; version=0.0.4")
        prefix = 'voltwin_model_instances_total{model="ocv-soc",outcome="answered"} '
        return next(
            (int(line.removeprefix(prefix)) for line in body.decode().splitlines() if line.startswith(prefix)), 0
        )

    before = counted()
    service.run("ocv-soc", {"instances": [INSTANCES["ocv-soc"]] * 3})
    assert counted() == before + 3


@pytest.fixture(scope="module")
def described(service: Any) -> dict[str, Any]:
    """The service's own description."""
    return json.loads(service.ask("GET", "/openapi.json")[1])  # type: ignore[no-any-return]  # JSON


def test_the_interface_describes_itself(described: Any) -> None:
    run = described["paths"]["/models/{name}/run"]["post"]
    batch, single = run["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert (batch["required"], single["required"]) == (["instances"], ["inputs"])
    assert {"/health", "/models", "/metrics"} <= set(described["paths"])
    for example in run["requestBody"]["content"]["application/json"]["examples"].values():
        validate(example["value"], run["requestBody"]["content"]["application/json"]["schema"])


@pytest.mark.parametrize("model", sorted(INSTANCES))
def test_what_the_models_take_is_what_the_interface_describes(described: Any, model: Any) -> None:
    run = described["paths"]["/models/{name}/run"]["post"]
    schema = run["requestBody"]["content"]["application/json"]["schema"]
    validate(INSTANCES[model], schema)
    validate({"instances": [INSTANCES[model]]}, schema)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    model=st.sampled_from([*sorted(INSTANCES), "crystal-ball"]),
    value=ANYTHING,
    way=st.sampled_from(["whole", "single", "batch", "input", "value", "unit", "parameters"]),
    data=st.data(),
)
def test_whatever_is_sent_the_reply_is_one_the_interface_describes(
    service: Any, described: Any, model: Any, value: Any, way: Any, data: Any
) -> None:
    sound = copy.deepcopy(INSTANCES.get(model, INSTANCES["ocv-soc"]))
    port = data.draw(st.sampled_from(sorted(sound["inputs"])))
    if way == "input":
        sound["inputs"][port] = value
    elif way in ("value", "unit"):
        sound["inputs"][port][way] = value
    elif way == "parameters":
        sound["parameters"] = value
    request = {"whole": value, "single": {"inputs": value}, "batch": {"instances": [value, sound]}}.get(way, sound)
    status, reply = service.run(model, request)
    responses = described["paths"]["/models/{name}/run"]["post"]["responses"]
    assert str(status) in responses, (status, reply)
    validate(reply, responses[str(status)]["content"]["application/json"]["schema"])
    if way == "batch" and status == 200:
        assert "outputs" in reply["results"][-1]


def test_a_body_nested_beyond_measure_is_a_422(service: Any) -> None:
    status, body, _ = service.ask("POST", "/models/ocv-soc/run", b"[" * 100_000)
    assert (status, json.loads(body)["error"]["field"]) == (422, "body")


def test_an_arrow_stream_is_answered_or_refused_with_a_sentence(service: Any) -> None:
    kind = "application/vnd.apache.arrow.stream"
    if importlib.util.find_spec("pyarrow") is None:
        status, body, _ = service.ask("POST", "/models/ocv-soc/run", b"", kind)
        assert status == 415
        assert "pyarrow" in json.loads(body)["error"]["message"]
        return
    import pyarrow

    array = pyarrow.array([[3.65, 3.66], [3.7]])
    schema = pyarrow.schema([pyarrow.field("ocv", array.type, metadata={"unit": "V"})])
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, schema) as writer:
        writer.write_table(pyarrow.Table.from_arrays([array], schema=schema))
    status, body, answered = service.ask("POST", "/models/ocv-soc/run", sink.getvalue().to_pybytes(), kind)
    assert (status, answered) == (200, kind)
    table = pyarrow.ipc.open_stream(body).read_all()
    _, reply = service.run("ocv-soc", {"instances": [{"inputs": {"ocv": quantity([3.7], "V")}}]})
    assert table.column("soc")[1].as_py() == reply["results"][0]["outputs"]["soc"]["value"]


def test_ctrl_c_ends_it_without_a_word() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "voltwin.cli", "models", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = int(process.stdout.readline().rsplit(":", 1)[1])
    assert Service(port).ask("GET", "/health")[0] == 200
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")


def test_a_port_in_use_is_said_in_one_sentence(service: Any) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "voltwin.cli", "models", "serve", "--port", str(service.port)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 6
    assert "choose another port" in second.stderr
    assert "Traceback" not in second.stderr
