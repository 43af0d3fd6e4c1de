"""Web pages for people: the fleet, one module, a query form. Plain HTML, no scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from ...errors import InputError, VoltwinError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import Trend
from ..battery.drawing import gauges, strip
from ..battery.fleet_table import SORTS, ModuleRow, key_figures, read_modules, sorted_rows, texts_of
from ..battery.module_view import read_module
from ..battery.plot_data import loss_trend, losses_by_age, temperature_trend
from ..battery.plots import (
    Style,
    Theme,
    self_discharge_by_age,
    self_discharge_over_time,
    temperature_over_time,
    time_span,
)
from ..http.accept import negotiate
from ..presentation.tables import read_table
from ..presentation.wording import ordered_reasons
from .examples import example_queries
from .rendering import environment, render

SHOWN_MODULE: Final = "module-0017"
"""Whose figures the overview shows first, if it is there: the module of the paper's figure."""
SHOWN_ROWS: Final = 1000
_COLUMNS: Final = (
    ("key", "Module", False),
    ("age", "Age (h)", True),
    ("soc", "SOC (%)", True),
    ("loss", "Loss (% SOC)", True),
    ("decision", "Arrival test", False),
    ("fixed", "Fixed ±10 mV", False),
)
_SVG_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page_routes(fleet: FleetAccess) -> APIRouter:
    """The pages and their figures."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    templates = environment()

    def page(name: str, here: str, read: Callable[[], dict[str, Any]]) -> Response:
        try:
            return HTMLResponse(render(templates, name, here=here, **read()))
        except VoltwinError as error:
            title = "Not found" if error.status == 404 else "That did not work"
            text = render(templates, "error.html", here=here, title=title, message=str(error))
            return HTMLResponse(text, error.status)

    @router.get("/")
    def overview(sort: str = "age", order: str = "asc", module: str | None = None) -> Response:
        return page("overview.html", "fleet", lambda: overview_values(fleet, sort, order, module))

    @router.get("/modules/{key:path}")
    def module_page(key: str) -> Response:
        return page("module.html", "fleet", lambda: module_values(fleet, key))

    @router.get("/query")
    def query_page(query: str = "") -> Response:
        return page("query.html", "query", lambda: query_values(fleet, query))

    @router.get("/figures/self-discharge.svg")
    def figure_a(theme: Theme = "light") -> Response:
        return _svg(self_discharge_by_age(losses_by_age(read_modules(fleet)), Style("svg", theme)))

    @router.get("/figures/temperature-trend.svg")
    def figure_b(module: str, theme: Theme = "light") -> Response:
        return _svg(temperature_over_time(temperature_trend(fleet, module), Style("svg", theme)))

    @router.get("/figures/self-discharge-trend.svg")
    def figure_c(module: str, theme: Theme = "light") -> Response:
        span = time_span(temperature_trend(fleet, module))
        return _svg(self_discharge_over_time(loss_trend(fleet, module), span, Style("svg", theme)))

    return router


def static_files() -> StaticFiles:
    """The style sheet and the icon."""
    return StaticFiles(directory=str(files(__package__) / "static"))


def _svg(body: bytes) -> Response:
    # The figure styles itself; its policy lets it do so and nothing else.
    return Response(body, media_type="image/svg+xml", headers={"Content-Security-Policy": _SVG_POLICY})


def overview_values(fleet: FleetAccess, sort: str, order: str, module: str | None) -> dict[str, Any]:
    """What the overview shows. Raises InputError for a column that is not there."""
    if sort not in SORTS or order not in ("asc", "desc"):
        raise InputError(f"sort={sort}&order={order}: sort by one of {', '.join(SORTS)}, order asc or desc")
    rows = read_modules(fleet)
    keys = [row.key for row in rows]
    return {
        "figures": key_figures(rows),
        "totals": dict(fleet.status()),
        "rows": sorted_rows(rows, sort, order == "desc"),
        "keys": keys,
        "module": shown_module(rows, module),
        "columns": _COLUMNS,
        "sort": sort,
        "order": order,
    }


def shown_module(rows: tuple[ModuleRow, ...], wanted: str | None) -> str | None:
    """The module whose figures are shown: the wanted one, the paper's, or the first."""
    keys = [row.key for row in rows]
    return next((key for key in (wanted, SHOWN_MODULE, *keys) if key in keys), None)


def module_values(fleet: FleetAccess, key: str) -> dict[str, Any]:
    """What a module's page shows. Raises TwinNotFoundError."""
    view = read_module(fleet, key)
    rows = {row.key: row for row in read_modules(fleet)}
    keys = sorted(rows)
    place = keys.index(key) if key in rows else -1
    return {
        "view": view,
        "age": rows[key].age if key in rows else None,
        "reasons": ordered_reasons(texts_of(view.reasons)),
        "before": keys[place - 1] if place > 0 else None,
        "after": keys[place + 1] if 0 <= place < len(keys) - 1 else None,
        "bars": strip(view.stages),
        "gauges": gauges(view.cells),
        "trend": view.trend.value.segments if view.trend and isinstance(view.trend.value, Trend) else (),
    }


def query_values(fleet: FleetAccess, text: str) -> dict[str, Any]:
    """What the query page shows; a query that was refused is shown with the reason."""
    values: dict[str, Any] = {"text": text, "examples": example_queries(fleet)}
    values |= {"table": None, "shown": (), "cut": None, "graph": None, "problem": None}
    if not text.strip():
        return values | {"text": values["examples"][0].text if values["examples"] else ""}
    try:
        answer = fleet.query(text, negotiate("application/sparql-results+json, text/turtle", []))
    except VoltwinError as error:
        return values | {"problem": str(error)}
    if answer.media_type != "application/sparql-results+json":
        return values | {"graph": answer.body.decode()}
    table = read_table(answer)
    cut = SHOWN_ROWS if len(table.rows) > SHOWN_ROWS else None
    return values | {"table": table, "shown": table.rows[:SHOWN_ROWS], "cut": cut}
