"""The pages of battery fleets: all modules with their plots, one module, and the plots themselves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Final

from fastapi import APIRouter, Request
from jinja2 import Environment
from starlette.responses import HTMLResponse, Response

from ...errors import InputError, NotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import Answer, Trend
from ..web.plots import Style, Theme
from ..web.rendering import PageFrame, asset, digits, environment, svg
from .drawing import gauges, strip
from .fleet_table import MODULE, SORTS, ModuleRow, key_figures, read_modules, sorted_rows, texts_of
from .module_view import read_module
from .plot_data import loss_trend, losses_by_age, temperature_trend
from .plots import self_discharge_by_age, self_discharge_over_time, temperature_over_time, time_span
from .reasons import ordered_reasons, reason_text

SHOWN_MODULE: Final = "module-0017"
"""The module whose plots the overview shows first, if it is there: that of the paper's figure."""
_COLUMNS: Final = (
    ("key", "Module", False),
    ("age", "Age (h)", True),
    ("soc", "SOC (%)", True),
    ("loss", "Loss (% SOC)", True),
    ("decision", "Arrival test", False),
    ("fixed", "Fixed ±10 mV", False),
)


def battery_routes(fleet: FleetAccess, frame: PageFrame) -> APIRouter:
    """The pages and their plots."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    own = frame.with_templates(templates())

    @router.get("/modules")
    def modules(request: Request) -> Response:
        return overview(fleet, frame, request.query_params)

    @router.get("/modules/{key:path}")
    def module_page(key: str) -> Response:
        return own.page("module.html", "/modules", lambda: module_values(fleet, key))

    @router.get("/battery/plots/self-discharge.svg")
    def losses_plot(theme: Theme = "light") -> Response:
        return svg(self_discharge_by_age(losses_by_age(read_modules(fleet)), Style("svg", theme)))

    @router.get("/battery/plots/temperature-trend.svg")
    def temperature_plot(module: str, theme: Theme = "light") -> Response:
        return svg(temperature_over_time(temperature_trend(fleet, module), Style("svg", theme)))

    @router.get("/battery/plots/self-discharge-trend.svg")
    def loss_plot(module: str, theme: Theme = "light") -> Response:
        span = time_span(temperature_trend(fleet, module))
        return svg(self_discharge_over_time(loss_trend(fleet, module), span, Style("svg", theme)))

    @router.get("/battery/style.css")
    def style() -> Response:
        return Response(asset("static", "battery.css", __package__), media_type="text/css")

    return router


def overview(fleet: FleetAccess, frame: PageFrame, parameters: Mapping[str, str]) -> Response:
    """The page of all modules; ``sort``, ``order`` and ``module`` are its parameters."""
    sort, order = parameters.get("sort", "age"), parameters.get("order", "asc")
    read = partial(overview_values, fleet, sort, order, parameters.get("module"))
    return frame.with_templates(templates()).page("modules.html", "/modules", read)


def overview_values(fleet: FleetAccess, sort: str, order: str, module: str | None) -> Mapping[str, Any]:
    """The values of the overview. Raises InputError for an unknown column."""
    if sort not in SORTS or order not in ("asc", "desc"):
        raise InputError(f"sort={sort}&order={order}: sort by one of {', '.join(SORTS)}, order asc or desc")
    rows = read_modules(fleet)
    return {
        "figures": key_figures(rows),
        "totals": dict(fleet.status()),
        "rows": sorted_rows(rows, sort, order == "desc"),
        "keys": [row.key for row in rows],
        "module": shown_module(rows, module),
        "columns": _COLUMNS,
        "sort": sort,
        "order": order,
    }


def shown_module(rows: tuple[ModuleRow, ...], wanted: str | None) -> str | None:
    """The module whose plots are shown: the wanted one, the paper's, or the first."""
    keys = [row.key for row in rows]
    return next((key for key in (wanted, SHOWN_MODULE, *keys) if key in keys), None)


def module_values(fleet: FleetAccess, key: str) -> Mapping[str, Any]:
    """The values of a module's page. Raises TwinNotFoundError, NotFoundError for a twin that is no module."""
    view = read_module(fleet, key)
    rows = {row.key: row for row in read_modules(fleet)}
    if key not in rows:
        raise NotFoundError(f"{key!r} is a twin of class {view.type}, not of class {MODULE}: see /fleet/twins/{key}")
    keys = sorted(rows)
    place = keys.index(key)
    return {
        "view": view,
        "age": rows[key].age,
        "reasons": ordered_reasons(texts_of(view.reasons)),
        "before": keys[place - 1] if place > 0 else None,
        "after": keys[place + 1] if place < len(keys) - 1 else None,
        "bars": strip(view.stages),
        "gauges": gauges(view.cells),
        "trend": view.trend.value.segments if view.trend and isinstance(view.trend.value, Trend) else (),
    }


def signed(value: float | None) -> str:
    """A difference with its sign and two decimals; a dash for none."""
    return "–" if value is None else f"{value:+.2f}".replace("-", "−")


def plain(answer: Answer | None, places: int) -> str:
    """The number of an answer without its unit; a dash for none."""
    return digits(None if answer is None else float(answer), places)


@cache
def templates() -> Environment:
    """The templates of this view with their filters."""
    return environment(__package__, {"signed": signed, "plain": plain, "reason": reason_text})
