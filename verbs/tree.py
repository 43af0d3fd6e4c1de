"""`voltwin tree`: the structure of a twin or a part, or the fleet's classes with how many twins each has."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from ..api.presentation.wording import origin_text, symbol, value_text
from ..graphstore.fleets.asking import at_moment
from ..graphstore.fleets.structure import ElementStructure, PropertyStructure, class_counts
from ..graphstore.paths.answers import Answer, Trend
from ..ontology.literals import format_time
from .grammar.options import as_of_option, fleet_option, json_option, verb
from .grammar.path_completion import path_argument


@verb()
@path_argument(required=False)
@click.option("--depth", type=click.IntRange(min=0), help="How many levels of parts to print; all, if left out.")
@as_of_option
@fleet_option
@json_option
def tree(path: str | None, depth: int | None, as_of: str | None, fleet: str, as_json: bool) -> None:
    """Print the structure of the twin or part at PATH. That is its properties, set or not, and its parts.

    A line is a name, its type with the unit, and the value with where it comes from, or "not set".
    Without PATH: every class and how many twins it has.
    """
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        asked = at_moment(opened, as_of)
        found = class_counts(asked.all("/")) if path is None else asked.structure(path, depth)
    if isinstance(found, ElementStructure):
        click.echo(json.dumps(found.to_json(), indent=2) if as_json else "\n".join(_lines(found)))
    elif as_json:
        click.echo(json.dumps({"classes": [{"name": item.name, "twins": item.twins} for item in found]}, indent=2))
    else:
        width = max((len(item.name) for item in found), default=0)
        for item in found:
            click.echo(f"{item.name:{width}}  {item.twins}")


def _lines(element: ElementStructure) -> Iterator[str]:
    yield f"{element.path}  {_dim(element.type)}"
    yield from _members(element, "")
    for other in element.others:
        yield from _lines(other)


def _members(element: ElementStructure, indent: str) -> Iterator[str]:
    width = max((len(item.name) for item in element.properties), default=0)
    for number, item in enumerate(element.properties, start=1):
        last = number == len(element.properties)
        below = indent + ("   " if last else "│  ")
        yield f"{indent}{'└─' if last else '├─'} {item.name:{width}}  {_dim(_type(item))}  {_value(item)}".rstrip()
        for count, part in enumerate(item.parts, start=1):
            if item.many:
                end = count == len(item.parts)
                yield f"{below}{'└─' if end else '├─'} {part.path.removeprefix(f'{element.path}/{item.name}/')}"
                yield from _members(part, below + ("   " if end else "│  "))
            else:
                yield from _members(part, below)


def _type(item: PropertyStructure) -> str:
    unit = f" [{symbol(item.unit)}]" if item.unit else ""
    return f"{item.type}{'*' if item.many else ''}{unit}"


def _value(item: PropertyStructure) -> str:
    if item.series is not None:
        unit = f" {symbol(item.unit)}" if item.unit else ""
        when = f" {format_time(item.series.time)}" if item.series.time else ""
        last = f", last {item.series.last:.6g}{unit}{when}"
        return f"{item.series}{unit}{_dim(last)}"
    if not item.answers:
        return _dim("not set" + (", though required" if item.required else ""))
    if item.kind == "object" and item.composition:
        return f"{len(item.answers)}" if item.many else ""
    if item.kind == "object" and not item.derived:
        return "-> " + ", ".join(answer.path for answer in item.answers)
    return "; ".join(map(_answer, item.answers))


def _answer(answer: Answer) -> str:
    if isinstance(answer.value, Trend):
        return f"{len(answer.value.segments)} segments  {_dim(origin_text(answer))}"
    return f"{value_text(answer)}  {_dim(origin_text(answer))}"


def _dim(text: str) -> str:
    return click.style(text, dim=True)
