"""Arrival tests of a fleet as a request to the arrival gate, for `voltwin models fit --fleet`.

    with open_fleet("http://plant:8000") as fleet:
        found = read_arrival_tests(fleet)
    found.request["instances"], found.left_out["module-0031"]

The fleet itself says which path feeds which port, at the action that runs the gate (``vt:model
"arrival-gate"``), so that this reads another plant's UML model as well as the case study's. Read through the
access interface alone: a folder and a server give the same request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...control.actions.bindings import literal
from ...control.master.inputs import MOMENT, to_json
from ...errors import InputError, NotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import Answer
from ...graphstore.paths.parse import parse
from ...graphstore.paths.syntax import Name, Wildcard
from ...ontology.bindings import Binding, parse_binding
from ..presentation.tables import read_table
from .fleet_table import twin_of

GATE: Final = "arrival-gate"
"""The name of the model."""

ARRIVED: Final = "arrivalOcv"
"""The port that only a module which has arrived can feed."""

ACTION: Final = """SELECT ?action ?is ?text WHERE {
  ?action vt:model "arrival-gate"
  { ?action vt:input ?text BIND("input" AS ?is) } UNION { ?action vt:parameter ?text BIND("parameter" AS ?is) }
} ORDER BY ?action ?is ?text"""


@dataclass(frozen=True)
class GateAction:
    """Inputs of the gate: ports by path, parameters by path, and parameters that are the same for all."""

    inputs: tuple[Binding, ...]
    parameters: tuple[Binding, ...]
    fixed: Mapping[str, Any]


@dataclass(frozen=True)
class ArrivalTests:
    """A request to the gate with the key of each instance, and why a module that has arrived is not in it."""

    request: Mapping[str, list[Mapping[str, Any]]]
    keys: tuple[str, ...]
    left_out: Mapping[str, str]

    def without(self, problems: Mapping[int, str]) -> ArrivalTests:
        """The same without the instances at these positions, for these reasons. Raises InputError if none is left."""
        left_out = {**self.left_out, **{self.keys[index]: reason for index, reason in problems.items()}}
        kept = [index for index in range(len(self.keys)) if index not in problems]
        if not kept:
            key, reason = next(iter(left_out.items()))
            raise InputError(f"arrival tests: none of {len(left_out)} modules can be used; {key}: {reason}")
        return self._only(kept, left_out)

    def of_curve(self, curve: str) -> ArrivalTests:
        """Only the modules with this OCV curve. Raises NotFoundError where there is none."""
        curves = [instance["parameters"].get("curve") for instance in self.request["instances"]]
        kept = [index for index, name in enumerate(curves) if name == curve]
        if not kept:
            known = ", ".join(sorted({str(name) for name in curves})) or "none"
            raise NotFoundError(f"arrival tests: no module has curve {curve!r}; curves are {known}")
        return self._only(kept, self.left_out)

    def _only(self, kept: Sequence[int], left_out: Mapping[str, str]) -> ArrivalTests:
        instances = self.request["instances"]
        return ArrivalTests(
            {"instances": [instances[index] for index in kept]}, tuple(self.keys[index] for index in kept), left_out
        )


def read_arrival_tests(fleet: FleetAccess, curve: str | None = None) -> ArrivalTests:
    """The tests of all modules that have arrived, or of those with one OCV curve.

    Raises NotFoundError where the fleet has no gate or no such module.
    """
    action = gate_action(
        (row[0].text, row[1].text, row[2].text)
        for row in read_table(fleet.query(ACTION, "application/sparql-results+json")).rows
    )
    answers = {binding.source: fleet.all(f"/*/{binding.source}") for binding in (*action.inputs, *action.parameters)}
    found = arrival_tests(action, answers)
    if not found.keys and not found.left_out:
        raise NotFoundError("arrival tests: no module of the fleet has arrived yet; send messages first")
    return found if curve is None else found.of_curve(curve)


def gate_action(rows: Iterable[tuple[str, str, str]]) -> GateAction:
    """The one action that runs the gate, from rows of its name, ``input`` or ``parameter``, and the text.

    Raises NotFoundError where no action does, InputError where several do or one cannot be read.
    """
    texts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, role, text in rows:
        texts[name][role].append(text)
    if not texts:
        raise NotFoundError(
            "arrival tests: no action of the fleet has model = arrival-gate; draw one, or fit a request file instead"
        )
    if len(texts) > 1:
        raise InputError(f"arrival tests: {', '.join(texts)} all run the arrival gate; fit a request file instead")
    (given,) = texts.values()
    inputs = tuple(parse_binding(text) for text in given["input"])
    if any(binding.source == MOMENT for binding in inputs):
        raise InputError(f"arrival tests: an input is bound to {MOMENT}, which no stored test has; bind it to a path")
    parameters = tuple(parse_binding(text) for text in given["parameter"] if "<-" in text)
    pairs = [text.partition("=") for text in given["parameter"] if "<-" not in text]
    return GateAction(inputs, parameters, {name.strip(): literal(word.strip()) for name, _, word in pairs})


def arrival_tests(action: GateAction, answers: Mapping[str, Sequence[Answer]]) -> ArrivalTests:
    """The request from the answers of each path of the action, over all twins."""
    by_port = {binding.target: _by_twin(answers[binding.source]) for binding in action.inputs}
    by_parameter = {binding.target: _by_twin(answers[binding.source]) for binding in action.parameters}
    sources = {binding.target: binding.source for binding in (*action.inputs, *action.parameters)}
    instances: dict[str, Mapping[str, Any]] = {}
    left_out: dict[str, str] = {}
    for key in by_port.get(ARRIVED, {}):
        try:
            inputs = {port: _value(sources[port], column.get(key)) for port, column in by_port.items()}
            chosen = {name: _value(sources[name], column.get(key)) for name, column in by_parameter.items()}
            _same_cells(action, by_port, key)
        except InputError as error:
            left_out[key] = str(error)
            continue
        words = {name: value if "unit" in value else value["value"] for name, value in chosen.items()}
        instances[key] = {"inputs": inputs, "parameters": {**action.fixed, **words}}
    return ArrivalTests({"instances": list(instances.values())}, tuple(instances), left_out)


def _by_twin(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        found[twin_of(answer)].append(answer)
    return found


def _value(source: str, answers: Sequence[Answer] | None) -> dict[str, Any]:
    """One answer as a quantity; several, which a path with ``*`` gives, as one list in their order."""
    if not answers:
        raise InputError(f"{source}: is not there")
    values = [to_json(answer) for answer in answers]
    if not any(isinstance(step, Wildcard) for step in parse(f"/twin/{source}").steps):
        return values[0]
    units = {value.get("unit") for value in values}
    if len(units) > 1 or not all("value" in value and "time" not in value for value in values):
        raise InputError(f"{source}: must give one value in one unit for each key")
    (unit,) = units
    return {"value": [value["value"] for value in values]} | ({"unit": unit} if unit else {})


def _same_cells(action: GateAction, by_port: Mapping[str, Mapping[str, Sequence[Answer]]], key: str) -> None:
    """Raises InputError where two lists of one module are not of the same parts, such as its cells."""
    parts: dict[str, tuple[str, tuple[str, ...]]] = {}
    for binding in action.inputs:
        before = binding.source.partition("/*")[0]
        if before == binding.source:
            continue
        place = len(parse(f"/twin/{before}").steps)
        steps = [parse(answer.path).steps[place] for answer in by_port[binding.target][key]]
        names = tuple(step.name for step in steps if isinstance(step, Name))
        other, expected = parts.setdefault(before, (binding.source, names))
        if names != expected:
            raise InputError(f"{binding.source}: is not there for the same {before} as {other}")
