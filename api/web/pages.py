"""Web pages for any fleet: its classes, the twins of a class, one twin, a query form. Plain HTML, no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from ...errors import InputError, NotFoundError, VoltwinError
from ...graphstore.fleets.asking import names_one
from ...graphstore.fleets.fleet import FleetAccess
from ...ontology.steps import quote_step
from ..http.accept import negotiate
from ..presentation.tables import read_table
from .classes import read_classes, read_twins
from .fleet_schema import fleet_names, fleet_schema
from .plots import Style, Theme, plot_series
from .rendering import NavigationEntry, PageFrame, environment, svg
from .structure import read_structure
from .views import View, applicable, example_queries

SHOWN_ROWS: Final = 1000
_FLEET: Final = NavigationEntry("Twins", "/fleet")
_QUERY: Final = NavigationEntry("Query", "/query")


def page_routes(fleet: FleetAccess, views: Sequence[View]) -> APIRouter:
    """The pages of the platform and of the views that apply to the fleet."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    def navigation() -> list[NavigationEntry]:
        return [entry for view in applicable(views, fleet) for entry in view.navigation] + [_FLEET, _QUERY]

    frame = PageFrame(navigation, environment())

    @router.get("/")
    def start(request: Request) -> Response:
        for view in applicable(views, fleet):
            if view.start is not None:
                return view.start(fleet, frame, request.query_params)
        return overview()

    @router.get("/fleet")
    def overview() -> Response:
        return frame.page("fleet.html", "/fleet", lambda: overview_values(fleet))

    @router.get("/fleet/twins")
    def twins_of(page: int = 1, order: str = "asc") -> Response:
        return frame.page("class.html", "/fleet", lambda: list_values(fleet, None, page, order))

    @router.get("/fleet/classes/{address:path}")
    def twins_of_class(address: str, page: int = 1, order: str = "asc") -> Response:
        return frame.page("class.html", "/fleet", lambda: list_values(fleet, address, page, order))

    @router.get("/fleet/twins/{key:path}")
    def twin_page(key: str) -> Response:
        return frame.page("twin.html", "/fleet", lambda: twin_values(fleet, views, key))

    @router.get("/fleet/plot.svg")
    def plot(path: str, theme: Theme = "light") -> Response:
        if not names_one(path):
            raise InputError(f"path {path!r}: names many; a plot shows one series")
        return svg(plot_series(fleet.get(path), Style("svg", theme)))

    @router.get("/query")
    def query_page(query: str = "") -> Response:
        return frame.page("query.html", "/query", lambda: query_values(fleet, views, query))

    for view in views:
        if view.routes is not None:
            router.include_router(view.routes(fleet, frame), dependencies=[Depends(_guard(view, fleet))])
    return router


def _guard(view: View, fleet: FleetAccess) -> Any:
    """The dependency that hides the routes of a view from fleets that it does not apply to."""

    def check() -> None:
        if not view.applies(fleet_schema(fleet)):
            raise NotFoundError(f"view {view.name!r}: the fleet's ontology has none of its classes; see /fleet")

    return check


def overview_values(fleet: FleetAccess) -> Mapping[str, Any]:
    """The values of the overview."""
    return {"totals": dict(fleet.status()), "classes": read_classes(fleet)}


def list_values(fleet: FleetAccess, address: str | None, page: int, order: str) -> Mapping[str, Any]:
    """The values of a list of twins. Raises NotFoundError for an unknown class, InputError for another order."""
    if order not in ("asc", "desc"):
        raise InputError(f"order={order}: must be asc or desc")
    return {"list": read_twins(fleet, address, page, order == "desc"), "order": order}


def twin_values(fleet: FleetAccess, views: Sequence[View], key: str) -> Mapping[str, Any]:
    """The values of a twin's page, with the pages of views that show it too. Raises TwinNotFoundError."""
    twin = read_structure(fleet, key)
    shown_by = applicable(views, fleet)
    pages = [(view.name, view.twin_page(twin.root.type, key)) for view in shown_by]
    wording = {code: text for view in shown_by for code, text in view.wording.items()}
    return {
        "twin": twin,
        "segment": quote_step(key),
        "pages": [(name, page) for name, page in pages if page],
        "wording": wording,
    }


def query_values(fleet: FleetAccess, views: Sequence[View], text: str) -> Mapping[str, Any]:
    """The values of the query page; a query that was refused is shown with the reason."""
    examples = example_queries(views, fleet)
    values: dict[str, Any] = {"text": text, "examples": examples, "twins": fleet_names(fleet).twins}
    values |= {"table": None, "shown": (), "cut": None, "graph": None, "problem": None}
    if not text.strip():
        return values | {"text": examples[0].text}
    try:
        answer = fleet.query(text, negotiate("application/sparql-results+json, text/turtle", []))
    except VoltwinError as error:
        return values | {"problem": str(error)}
    if answer.media_type != "application/sparql-results+json":
        return values | {"graph": answer.body.decode()}
    table = read_table(answer)
    cut = SHOWN_ROWS if len(table.rows) > SHOWN_ROWS else None
    return values | {"table": table, "shown": table.rows[:SHOWN_ROWS], "cut": cut}
