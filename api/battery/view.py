"""The view ``battery``, as its entry point returns it. Parts that need time to load are imported when used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.schema import Schema
from ..web.examples import Example, fill_in
from ..web.rendering import NavigationEntry, PageFrame
from ..web.views import View, has_properties, property_terms
from .arrival_tests import GATE, read_arrival_tests
from .examples import EXAMPLES
from .fleet_table import MODULE, module_address
from .reasons import REASONS

COMPARISONS: Final = "voltwin.comparisons"
"""Entry points of simulations that the report shows; the gate's is found by its model's name."""

_NEEDED: Final = ("cells", "endOfLineTest", "arrivalTest", "stateOfCharge")


def battery_view() -> View:
    """The view of fleets whose model has modules with cells that are tested at the end of line and on arrival."""
    return View(
        name="battery",
        applies=lambda schema: has_properties(schema, *((MODULE, name) for name in _NEEDED)),
        routes=_routes,
        navigation=(NavigationEntry("Modules", "/modules"),),
        start=_start,
        twin_page=lambda cls, key: module_address(key) if cls == MODULE else None,
        examples=_examples,
        wording=REASONS,
        report=_report,
        model_requests={GATE: read_arrival_tests},
    )


def _routes(fleet: FleetAccess, frame: PageFrame) -> APIRouter:
    from .pages import battery_routes

    return battery_routes(fleet, frame)


def _start(fleet: FleetAccess, frame: PageFrame, parameters: Mapping[str, str]) -> Response:
    from .pages import overview

    return overview(fleet, frame, parameters)


def _examples(schema: Schema) -> tuple[Example, ...]:
    return fill_in(EXAMPLES, property_terms(schema))


def _report(fleet: FleetAccess, folder: Path, twin: str | None) -> list[Path]:
    from .report import write_report

    found = entry_points(group=COMPARISONS)
    return write_report(fleet, folder, twin, found[GATE].load() if GATE in found.names else None)
