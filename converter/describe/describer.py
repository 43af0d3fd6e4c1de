"""The context of one description: everything that the passes over a model share.

describer = Describer.of(model, ReportBuilder())
describer.scope.where("id of a class")      # for messages
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ..report import ReportBuilder
from ..uml import elements as uml
from .inheritance import Inheritance
from .names import Names
from .notes import Notes
from .properties import PropertyNamer
from .scope import Scope

PROVIDED: Final = "provided by the framework's ontology"


@dataclass(frozen=True)
class Describer:
    """A model's index, inheritance, names and notes, and the report on its conversion."""

    model: uml.UmlModel
    report: ReportBuilder
    scope: Scope
    inheritance: Inheritance
    names: Names
    notes: Notes
    namer: PropertyNamer

    @classmethod
    def of(cls, model: uml.UmlModel, report: ReportBuilder) -> Describer:
        """Index ``model`` and name its packages and classes."""
        scope = Scope(model, report)
        inheritance = Inheritance(scope)
        names = Names(scope)
        return cls(model, report, scope, inheritance, names, Notes(names, inheritance), PropertyNamer(names))

    def shared_fields(self, element: uml.UmlElement) -> dict[str, Any]:
        """The fields that every described element has from its UML element, except its name and tags."""
        return {
            "id": element.id,
            "documentation": element.documentation,
            "stereotypes": element.stereotypes,
            "constraints": tuple(self.notes.constraints.get(element.id, ())),
            "dependencies": tuple(self.notes.dependencies.get(element.id, ())),
        }
