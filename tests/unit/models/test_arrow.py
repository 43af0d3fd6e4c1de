from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from voltwin.errors import InputError, NotFoundError
from voltwin.models.service import arrow_codec as arrow_module
from voltwin.models.service.arrow_codec import ArrowMissing, answer_arrow
from voltwin.models.service.requests import answer

from .samples import discharge_instance, gate_instance

installed = importlib.util.find_spec("pyarrow") is not None
needs_arrow = pytest.mark.skipif(not installed, reason="pyarrow, an optional extra, is not installed here")

TREND = ("start", "end", "startValue", "endValue", "origin")


def stream(model: Any, instances: Any) -> Any:
    """An Arrow stream of the instances of a JSON request."""
    import pyarrow

    fields, arrays = [], []
    for port in model.inputs:
        given = [instance["inputs"].get(port.name) for instance in instances]
        if all(item is None for item in given):
            continue
        unit = next(item["unit"] for item in given if item is not None)
        if port.shape == "trend":
            values = [item and {name: item[name] for name in TREND} for item in given]
        else:
            values = [item and item["value"] for item in given]
        array = pyarrow.array(values)
        fields.append(pyarrow.field(port.name, array.type, metadata={"unit": unit}))
        arrays.append(array)
    for parameter in model.parameters:
        values = [instance.get("parameters", {}).get(parameter.name) for instance in instances]
        if any(value is not None for value in values):
            array = pyarrow.array(values)
            fields.append(pyarrow.field(f"parameters.{parameter.name}", array.type))
            arrays.append(array)
    return written(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)))


def written(table: Any) -> Any:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def read(body: Any) -> Any:
    import pyarrow

    return pyarrow.ipc.open_stream(body).read_all()


def same(table: Any, results: Any, model: Any) -> None:
    units = {port.name: port.unit for port in model.outputs}
    for row, result in enumerate(results):
        if "error" in result:
            assert table.column("error")[row].as_py()["field"] == result["error"]["field"]
            continue
        assert table.column("error")[row].as_py() is None
        for name, item in result["outputs"].items():
            value = table.column(name)[row].as_py()
            if isinstance(item["value"], str | list) and not units[name]:
                assert value == item["value"]
            else:
                assert value == pytest.approx(item["value"], rel=1e-12)
            metadata = table.schema.field(name).metadata or {}
            assert metadata.get(b"unit", b"").decode() == (item.get("unit") or "")


@needs_arrow
def test_a_table_is_answered_as_the_json_request_is(registry: Any) -> None:
    instances = [
        discharge_instance(250),
        discharge_instance(300, cells=[50.0, 51.0], parameters={"policy": "clamp"}),
        discharge_instance(250, cells=[120.0]),
        discharge_instance(250, until={"value": 1.4e9, "unit": "SEC"}),
    ]
    body, answered, refused = answer_arrow(
        registry, "self-discharge", stream(registry.get("self-discharge"), instances)
    )
    assert (answered, refused) == (2, 2)
    same(
        read(body),
        answer(registry, "self-discharge", {"instances": instances})["results"],
        registry.get("self-discharge"),
    )


@needs_arrow
def test_the_gate_answers_words_and_lists_of_words(registry: Any) -> None:
    instances = [gate_instance(), gate_instance(cells=3, parameters={"curve": "chen-2020", "z": 3})]
    body, *_ = answer_arrow(registry, "arrival-gate", stream(registry.get("arrival-gate"), instances))
    same(
        read(body), answer(registry, "arrival-gate", {"instances": instances})["results"], registry.get("arrival-gate")
    )


@needs_arrow
@pytest.mark.parametrize(
    ("name", "values", "metadata", "words"),
    [
        ("ocv", [[3.65]], None, "no unit"),
        ("ocv", [[3.65]], {"unit": "A-HR"}, "measures charge"),
        ("ocv", [["high"]], {"unit": "V"}, "must hold numbers"),
        ("ocv", [3.65], {"unit": "V"}, "lists of numbers"),
        ("colour", [1.0], {"unit": "V"}, "is not a column"),
    ],
)
def test_a_column_that_cannot_be_is_refused_by_name(
    registry: Any, name: Any, values: Any, metadata: Any, words: Any
) -> None:
    import pyarrow

    array = pyarrow.array(values)
    table = pyarrow.Table.from_arrays(
        [array], schema=pyarrow.schema([pyarrow.field(name, array.type, metadata=metadata)])
    )
    with pytest.raises(InputError, match=words) as caught:
        answer_arrow(registry, "ocv-soc", written(table))
    assert str(caught.value).startswith(f"{name}:")


@needs_arrow
def test_what_is_no_number_is_the_problem_of_its_row(registry: Any) -> None:
    import pyarrow

    array = pyarrow.array([[3.65, np.nan], None, [3.65]])
    table = pyarrow.Table.from_arrays(
        [array], schema=pyarrow.schema([pyarrow.field("ocv", array.type, metadata={"unit": "V"})])
    )
    body, answered, refused = answer_arrow(registry, "ocv-soc", written(table))
    assert (answered, refused) == (1, 2)
    errors = read(body).column("error").to_pylist()
    assert "finite" in errors[0]["message"]
    assert "null" in errors[1]["message"]


@needs_arrow
def test_what_is_no_stream_is_said(registry: Any) -> None:
    with pytest.raises(InputError, match="not an Arrow stream"):
        answer_arrow(registry, "ocv-soc", b"not a table")
    with pytest.raises(NotFoundError):
        answer_arrow(registry, "oracle", b"")


def test_without_pyarrow_the_answer_is_a_415_with_a_sentence(registry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: Any) -> None:
        raise ImportError(name)

    monkeypatch.setattr(arrow_module, "import_module", missing)
    with pytest.raises(ArrowMissing, match="install it, or send JSON") as caught:
        answer_arrow(registry, "ocv-soc", b"")
    assert caught.value.status == 415
