"""The inputs of actions are paths that can be read, of properties that the class has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pyoxigraph import NamedNode

from ....errors import InputError
from ....graphstore.paths.parse import parse
from ....graphstore.paths.syntax import Name, Path, Wildcard
from ....graphstore.schema import Schema
from ....graphstore.sparql.gate import check_path
from ....settings import InputLimits
from .finding import DesignFinding, DesignUnderCheck, at
from .properties import PropertyProblem, member, unknown

MOMENT: Final = "@time"
_ALWAYS: Final = frozenset({"key", "type"})


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for a path that cannot be parsed, a warning for one that the ontology does not know."""
    for action in design.actions.values():
        sources = [binding.source for binding in action.inputs]
        sources += [source for text in action.parameters for _, arrow, source in [text.partition("<-")] if arrow]
        for source in (source.strip() for source in sources):
            if source == MOMENT or action.applies_to not in design.schema.classes:
                continue
            try:
                check_path(source, InputLimits())
                path = parse(source)
            except InputError as error:
                yield DesignFinding("error", at(action), f"input {source!r}: {error}")
                continue
            problem = None if path.absolute else _problem(path, design.schema, action.applies_to)
            if problem is not None:
                yield DesignFinding("warning", at(action), f"input {source!r}: {problem.message}", problem.suggestion)


def _problem(path: Path, schema: Schema, cls: NamedNode) -> PropertyProblem | None:
    at_key = False
    for step in path.without_reasoner().inner:
        if at_key and isinstance(step, Name | Wildcard):
            at_key = False
            continue
        if not isinstance(step, Name) or step.name in _ALWAYS:
            return None
        prop = member(schema, cls, step.name)
        if prop is None:
            return unknown(schema, cls, step.name)
        if prop.kind != "object" or prop.range is None:
            return None
        cls, at_key = prop.range, prop.many
    return None
