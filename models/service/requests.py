"""Requests to the models and their replies as JSON values, in process and behind REST.

>>> from voltwin.models.service.requests import answer
>>> from voltwin.models.registry import Registry
>>> request = {"instances": [{"inputs": {"ocv": {"value": [3.65], "unit": "V"}}}]}
>>> reply = answer(Registry.discover(), "ocv-soc", request)
>>> round(reply["results"][0]["outputs"]["soc"]["value"][0], 1)
45.0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import InputError
from ..base.protocol import InstanceError, InstanceProblem, Model, Port
from ..registry import Registry
from .json_codec import decode, encode


def answer(registry: Registry, name: str, request: Any) -> dict[str, Any]:
    """The reply to ``{"instances": [...]}``, one result per instance in the same order, or to a single instance.

    A single one is ``{"inputs": {...}, "parameters": {...}}``; its reply has ``outputs`` instead of ``results``.
    Raises NotFoundError for an unknown model, InputError for a request that is malformed as a whole, and
    InstanceError for a single instance that is wrong; in a batch its result has the ``error`` instead.
    """
    model = registry.get(name)
    if not isinstance(request, Mapping):
        raise InputError('request: must be an object {"instances": [...]}')
    if "inputs" in request and "instances" not in request:
        (result,) = _results(model, [request])
        if isinstance(result, InstanceProblem):
            raise InstanceError(result)
        return {"model": model.name, "version": model.version, **result}
    instances = request.get("instances")
    if not isinstance(instances, list):
        raise InputError("instances: missing or not a list; give a list with one object per twin")
    extra = request.keys() - {"instances"}
    if extra:
        raise InputError(f"{min(map(str, extra))}: is not known; a request has only instances")
    results = [
        {"error": describe_problem(model, result)} if isinstance(result, InstanceProblem) else result
        for result in _results(model, instances)
    ]
    return {"model": model.name, "version": model.version, "results": results}


def _results(model: Model, instances: list[Any]) -> list[dict[str, Any] | InstanceProblem]:
    """Each instance's ``{"outputs": ...}``, or its problem."""
    batch, positions, problems = decode(model, instances)
    results: list[dict[str, Any] | InstanceProblem] = [{} for _ in instances]
    if positions:
        reply = model.run(batch)
        encoded = encode(model, reply.columns, batch.size)
        for row, index in enumerate(positions):
            results[index] = reply.problems.get(row, encoded[row])
    for index, problem in problems.items():
        results[index] = problem
    return results


def describe_problem(model: Model, problem: InstanceProblem) -> dict[str, Any]:
    """A problem as JSON values: the field, a sentence, and the unit of that field if it has one."""
    units = {port.name: port.unit for port in model.inputs} | {item.name: item.unit for item in model.parameters}
    unit = units.get(problem.field)
    return {"field": problem.field, "message": str(problem), **({"unit": unit} if unit else {})}


def describe(model: Model) -> dict[str, Any]:
    """Name, version, ports with units and shapes, and parameters of a model, as JSON values."""
    return {
        "name": model.name,
        "version": model.version,
        "description": model.description,
        "inputs": [_port(port) for port in model.inputs],
        "outputs": [_port(port) for port in model.outputs],
        "parameters": [
            {
                "name": parameter.name,
                "default": parameter.default,
                **({"unit": parameter.unit} if parameter.unit else {}),
                **({"choices": list(parameter.choices)} if parameter.choices else {}),
                "description": parameter.description,
            }
            for parameter in model.parameters
        ],
    }


def _port(port: Port) -> dict[str, Any]:
    return {
        "name": port.name,
        "shape": port.shape,
        **({"unit": port.unit} if port.unit else {}),
        "optional": port.optional,
        "description": port.description,
    }
