"""One request answered: the same function in process and behind REST.

>>> from voltwin.models.handler import answer
>>> from voltwin.models.registry import Registry
>>> request = {"instances": [{"inputs": {"ocv": {"value": [3.65], "unit": "V"}}}]}
>>> reply = answer(Registry.discover(), "ocv-soc", request)
>>> round(reply["results"][0]["outputs"]["soc"]["value"][0], 1)
45.0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from .protocol import Model, Port, Problem
from .registry import Registry
from .wire import decode, encode


def answer(registry: Registry, name: str, request: Any) -> dict[str, Any]:
    """The reply to ``{"instances": [...]}``, one result per instance in the same order.

    Raises NotFoundError for an unknown model and InputError for a request that is malformed as a whole;
    what is wrong with one instance stands in that instance's result.
    """
    model = registry.get(name)
    if not isinstance(request, Mapping):
        raise InputError('request: must be an object {"instances": [...]}')
    instances = request.get("instances")
    if not isinstance(instances, list):
        raise InputError("instances: missing or not a list; give a list with one object per twin")
    extra = request.keys() - {"instances"}
    if extra:
        raise InputError(f"{sorted(map(str, extra))[0]}: is not known; a request has instances only")
    batch, good, problems = decode(model, instances)
    results: list[dict[str, Any]] = [{} for _ in instances]
    if good:
        reply = model.run(batch)
        encoded = encode(model, reply.columns, batch.size)
        for position, index in enumerate(good):
            problem = reply.problems.get(position)
            results[index] = encoded[position] if problem is None else _error(problem)
    for index, problem in problems.items():
        results[index] = _error(problem)
    return {"model": model.name, "version": model.version, "results": results}


def _error(problem: Problem) -> dict[str, Any]:
    return {"error": {"field": problem.field, "message": f"{problem.field}: {problem.message}"}}


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
