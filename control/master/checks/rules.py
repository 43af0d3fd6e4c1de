"""Every rule compiles against the ontology, and all of them have an order."""

from __future__ import annotations

from collections.abc import Iterator

from ....reasoner.engine import rule_problems
from .finding import DesignFinding, DesignUnderCheck


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each rule that does not compile, and for a circle among the others."""
    for error in rule_problems(design.store, design.names, design.schema):
        place, _, message = str(error).partition(": ")
        yield DesignFinding("error", place, message)
