"""Every rule compiles against the ontology, and all of them have an order."""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import InputError
from ....reasoner.engine import RuleEngine
from .finding import DesignFinding, DesignUnderCheck


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for the first rule that does not compile, with its reason."""
    try:
        RuleEngine(design.store, design.names, design.schema)
    except InputError as error:
        place, _, message = str(error).partition(": ")
        yield DesignFinding("error", place, message)
