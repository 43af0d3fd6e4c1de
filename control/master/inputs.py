"""The inputs of a run: paths of its twin resolved through the access interface, as JSON with units.

A path with ``*`` gives a list in the order of the keys; those keys are remembered, so that a list of
results returns to them (``bearings/*/wear <- wear``). ``@time`` is the run's moment; where a rule
stitches a history, nothing later than that moment is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from ...errors import InputError, NotFoundError
from ...graphstore.paths.answers import Answer, Element, SeriesValue, Trend
from ...graphstore.paths.parse import parse
from ...graphstore.paths.reading import PathReader
from ...graphstore.paths.syntax import Name, Wildcard
from ...ontology.bindings import Binding
from ...ontology.literals import format_time, to_microseconds
from ...outgoing import NOTHING_ALLOWED, OutgoingPolicy
from ..actions.action import Action
from ..actions.bindings import literal
from ..interfaces import Invocation, Json

MOMENT: Final = "@time"
_SECOND: Final = 1_000_000


class MissingInput(InputError):
    """An input of a run does not exist yet; the run is skipped with this reason."""


@dataclass(frozen=True)
class ResolvedInputs:
    """An invocation, and the keys that its lists are in the order of."""

    invocation: Invocation
    keys: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class OutsideServices:
    """The services that actions may ask, by their names in endpoints, and the policy for every filled endpoint."""

    by_name: Mapping[str, str] = field(default_factory=dict)
    outgoing: OutgoingPolicy = NOTHING_ALLOWED
    """Allows more than the services' own origins."""

    @cached_property
    def policy(self) -> OutgoingPolicy:
        """The policy for a filled endpoint: the settings name the services, so their origins are allowed."""
        return self.outgoing.including(self.by_name.values())


def prepare(
    action: Action, run: str, twin: str, moment: datetime, reader: PathReader, services: OutsideServices
) -> ResolvedInputs:
    """Resolve all inputs of ``action`` for ``twin``. Raises MissingInput, InputError."""
    keys: dict[str, list[str]] = {}
    inputs: dict[str, Json] = {}
    for binding in action.inputs:
        inputs[binding.target] = _resolve(binding, twin, moment, reader, keys)
    parameters = dict(_parameter(text, twin, moment, reader) for text in action.parameters)
    time = format_time(moment)
    endpoint = fill_endpoint(action, services, time, twin)
    return ResolvedInputs(Invocation(run, twin, time, endpoint, inputs, parameters), keys)


def fill_endpoint(action: Action, services: OutsideServices, time: str, twin: str) -> str:
    """The action's endpoint with services, moment and twin inserted.

    Raises InputError for an unknown service and for an address that may not be asked.
    """
    # The twin's name is from outside: it is quoted, and inserted in one pass with all other values.
    values = {**services.by_name, MOMENT: time, "twin": quote(twin, safe="")}
    try:
        endpoint = action.endpoint.format_map(values)
    except (ValueError, IndexError) as error:
        raise InputError(f"action {action.key!r}: endpoint {action.endpoint!r} is malformed: {error}") from None
    except KeyError as error:
        known = ", ".join(sorted(services.by_name)) or "none"
        raise InputError(
            f"action {action.key!r}: endpoint {action.endpoint!r} names service {error}, the settings have {known}; "
            f"start with --service NAME=URL"
        ) from None
    # Only the whole address tells: "{models}@x.example/" begins with a service and leads elsewhere.
    if refusal := services.policy.refusal(endpoint):
        raise InputError(f"action {action.key!r}: endpoint {refusal}")
    return endpoint


def _resolve(binding: Binding, twin: str, moment: datetime, reader: PathReader, keys: dict[str, list[str]]) -> Json:
    if binding.source == MOMENT:
        return {"value": to_microseconds(moment) / _SECOND, "unit": "SEC"}
    path = parse(binding.source).at(twin)
    try:
        answers = reader.ask(path, moment, observed=False)
    except NotFoundError as error:
        raise MissingInput(f"input {binding.target}: {error}") from error
    if not answers:
        raise MissingInput(f"input {binding.target}: {path} is not there yet")
    if not any(isinstance(step, Wildcard) for step in path.inner):
        return to_json(answers[0])
    before = binding.source.partition("/*")[0]
    place = len(parse(before).steps) + 1
    keys[before] = [_step(answer.path, place) for answer in answers]
    values = [to_json(answer) for answer in answers]
    if not all("value" in value and "time" not in value for value in values):
        raise InputError(f"input {binding.target}: {path} has histories; a list can hold one value for each key only")
    units = {value.get("unit") for value in values}
    if len(units) > 1:
        raise InputError(f"input {binding.target}: {path} has values in different units: {sorted(map(str, units))}")
    return {"value": [value["value"] for value in values]} | ({"unit": units.pop()} if units != {None} else {})


def _step(path: str, place: int) -> str:
    step = parse(path).steps[place]
    assert isinstance(step, Name)  # answers have paths of names only
    return step.name


def to_json(answer: Answer) -> dict[str, Json]:
    """An answer as a quantity: times become seconds since 1970 UTC, trends segments that are linear inside."""
    unit = {"unit": answer.unit} if answer.unit else {}
    match answer.value:
        case Trend():
            return trend_to_json(answer.value) | unit
        case SeriesValue(times, values):
            return {"time": [time / _SECOND for time in times], "value": list(values)} | unit
        case datetime() as moment:
            return {"value": to_microseconds(moment) / _SECOND, "unit": "SEC"}
        case Element(path):
            return {"value": path}
        case value:
            return {"value": list(value) if isinstance(value, tuple) else value} | unit


def trend_to_json(trend: Trend) -> dict[str, list[Any]]:
    """Segments between neighbouring samples: start and end in seconds since 1970 UTC, and the values there."""
    columns: dict[str, list[Any]] = {"start": [], "end": [], "startValue": [], "endValue": [], "origin": []}
    for segment in trend.segments:
        seconds = [time / _SECOND for time in segment.times]
        columns["start"] += seconds[:-1]
        columns["end"] += seconds[1:]
        columns["startValue"] += segment.values[:-1]
        columns["endValue"] += segment.values[1:]
        columns["origin"] += [segment.origin] * (len(seconds) - 1)
    return columns


def _parameter(text: str, twin: str, moment: datetime, reader: PathReader) -> tuple[str, Json]:
    """``name = value`` (a number, true, false or a word) or ``name <- path``."""
    name, arrow, source = (part.strip() for part in text.partition("<-"))
    if arrow:
        answers = reader.ask(parse(source).at(twin), moment, observed=False)
        if not answers:
            raise MissingInput(f"parameter {name}: {source} is not there yet")
        value = to_json(answers[0])
        return name, value if "unit" in value else value["value"]
    name, equals, word = (part.strip() for part in text.partition("="))
    if not equals:
        raise InputError(f"parameter {text!r}: write it as name = value or name <- path")
    return name, literal(word)
