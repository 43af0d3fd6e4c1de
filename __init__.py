"""voltwin: from a UML model to a running fleet of battery digital twins in one knowledge graph.

    from voltwin import Fleet

    with Fleet.open("demo-fleet") as fleet:
        print(fleet["module-0017"]["cells/cell-03/voltage"])

The names in ``__all__`` are the public face; tests/unit/test_public_api.py keeps it as it is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voltwin.assembly import Fleet, create_fleet, open_fleet
    from voltwin.converter import Conversion, Description, convert
    from voltwin.errors import VoltwinError
    from voltwin.graphstore.fleets.fleet import Twin
    from voltwin.graphstore.paths.answers import Answer, Trend
    from voltwin.graphstore.paths.parse import parse as parse_path
    from voltwin.graphstore.paths.syntax import Path
    from voltwin.graphstore.queries.limits import QueryLimits
    from voltwin.reasoner.rules import Rule
    from voltwin.server import Server
    from voltwin.settings import Settings

_HOMES = {
    "Answer": "graphstore.paths.answers:Answer",
    "Conversion": "converter:Conversion",
    "Description": "converter:Description",
    "Fleet": "assembly:Fleet",
    "Path": "graphstore.paths.syntax:Path",
    "QueryLimits": "graphstore.queries.limits:QueryLimits",
    "Rule": "reasoner.rules:Rule",
    "Server": "server:Server",
    "Settings": "settings:Settings",
    "Trend": "graphstore.paths.answers:Trend",
    "Twin": "graphstore.fleets.fleet:Twin",
    "VoltwinError": "errors:VoltwinError",
    "convert": "converter:convert",
    "create_fleet": "assembly:create_fleet",
    "open_fleet": "assembly:open_fleet",
    "parse_path": "graphstore.paths.parse:parse",
}

__all__ = [
    "Answer",
    "Conversion",
    "Description",
    "Fleet",
    "Path",
    "QueryLimits",
    "Rule",
    "Server",
    "Settings",
    "Trend",
    "Twin",
    "VoltwinError",
    "convert",
    "create_fleet",
    "open_fleet",
    "parse_path",
]


def __getattr__(name: str) -> Any:
    # On demand: `voltwin --help` should not wait for the web framework and the solvers to load.
    if name not in _HOMES:
        raise AttributeError(f"module 'voltwin' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(f"voltwin.{module}"), attribute)
