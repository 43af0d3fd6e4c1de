"""Views: additions of a package to the pages, reports and model requests of fleets of one trade.

A package registers a view under the entry point group ``voltwin.views``: a callable without arguments that returns
a :class:`View`. The view applies to a fleet if the fleet's ontology has its classes; elsewhere none of it is seen.

    def gearbox_view() -> View:
        return View("gearbox", applies=lambda schema: has_properties(schema, ("Gearbox", "ratio")))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final, Protocol

from fastapi import APIRouter
from pyoxigraph import NamedNode
from starlette.responses import Response

from ...errors import EnvironmentProblem, NotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.schema import Schema
from .examples import Example, general_examples
from .fleet_schema import fleet_schema
from .rendering import NavigationEntry, PageFrame

GROUP: Final = "voltwin.views"


WritesReport = Callable[[FleetAccess, Path, str | None], list[Path]]
"""Writes files about a fleet into a folder and returns their paths; takes the twin whose details are shown, if any.

Raises NotFoundError, InputError.
"""


class ModelRequest(Protocol):
    """A request to a model, read from a fleet: one instance a twin, and the reason for each twin left out."""

    @property
    def request(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """The request as the model takes it."""
        ...

    @property
    def left_out(self) -> Mapping[str, str]:
        """By the twin's key, the reason why it is not in the request."""
        ...

    def without(self, problems: Mapping[int, str]) -> ModelRequest:
        """The request without the instances at these positions. Raises InputError if none is left."""
        ...


ReadsModelRequest = Callable[[FleetAccess, str | None], ModelRequest]
"""Takes the fleet and the name of a curve or parameter set to restrict the request to, if any."""


@dataclass(frozen=True)
class View:
    """One view. Everything but ``name`` and ``applies`` may be left out.

    ``start`` renders the page at ``/`` from the parameters of its URL. ``twin_page`` gives the address of the view's
    own page for a twin, from the name of its class and its key. ``wording`` explains codes among the values.
    ``model_requests`` are by the model's name.
    """

    name: str
    applies: Callable[[Schema], bool]
    routes: Callable[[FleetAccess, PageFrame], APIRouter] | None = None
    navigation: tuple[NavigationEntry, ...] = ()
    start: Callable[[FleetAccess, PageFrame, Mapping[str, str]], Response] | None = None
    twin_page: Callable[[str, str], str | None] = lambda cls, key: None
    examples: Callable[[Schema], Sequence[Example]] = lambda schema: ()
    wording: Mapping[str, str] = field(default_factory=dict)
    report: WritesReport | None = None
    model_requests: Mapping[str, ReadsModelRequest] = field(default_factory=dict)


def has_properties(schema: Schema, *properties: tuple[str, str]) -> bool:
    """Whether the ontology has each of these properties, given by the names of class and property."""
    terms = property_terms(schema)
    return all(f"{cls}_{name}" in terms for cls, name in properties)


def property_terms(schema: Schema) -> Mapping[str, NamedNode]:
    """Properties by the names of class and property, as in ``Gearbox_ratio``."""
    return {
        f"{schema.classes[prop.domain].name}_{prop.name}": iri
        for iri, prop in schema.properties.items()
        if prop.domain is not None and prop.domain in schema.classes
    }


def discover_views() -> tuple[View, ...]:
    """All registered views, by name. Raises EnvironmentProblem for one that cannot be loaded."""
    return tuple(_load(point) for point in sorted(entry_points(group=GROUP), key=lambda point: point.name))


def _load(point: EntryPoint) -> View:
    try:
        view = point.load()()
    except (ImportError, AttributeError) as error:
        raise EnvironmentProblem(
            f"view {point.name!r} ({point.value}) cannot be loaded: {error}; reinstall its package"
        ) from error
    if not isinstance(view, View):
        raise EnvironmentProblem(f"view {point.name!r} ({point.value}): returns no voltwin.api.web.views.View")
    return view


def applicable(views: Sequence[View], fleet: FleetAccess) -> tuple[View, ...]:
    """The views that apply to ``fleet`` as its ontology is now."""
    schema = fleet_schema(fleet)
    return tuple(view for view in views if view.applies(schema))


def example_queries(views: Sequence[View], fleet: FleetAccess) -> tuple[Example, ...]:
    """Examples for any fleet, then those of the views that apply."""
    schema = fleet_schema(fleet)
    own = (example for view in views if view.applies(schema) for example in view.examples(schema))
    return (*general_examples(fleet, schema), *own)


def find_report(fleet: FleetAccess) -> WritesReport:
    """The report of the first view that applies and has one. Raises NotFoundError."""
    for view in applicable(discover_views(), fleet):
        if view.report is not None:
            return view.report
    raise NotFoundError("report: no view with a report applies to this fleet; docs/views.md says how to add one")


def find_model_request(fleet: FleetAccess, model: str) -> ReadsModelRequest:
    """The reader of requests to ``model`` of the first view that applies and has one. Raises NotFoundError."""
    for view in applicable(discover_views(), fleet):
        if model in view.model_requests:
            return view.model_requests[model]
    raise NotFoundError(
        f"model {model!r}: no view that applies to this fleet reads requests to it; give a request file instead"
    )
