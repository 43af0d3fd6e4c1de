"""The web application over one fleet: REST, SPARQL protocol and pages put together.

    app = create_app(fleet)          # any ASGI server runs it; server.py does so in a thread

Everyone may read, from any web page too (CORS). Other origins may not write (PUT).
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from ..graphstore.fleets.fleet import FleetAccess
from ..graphstore.fleets.local import LocalFleet
from ..graphstore.fleets.wire import ERROR_HEADER
from ..settings import InputLimits
from .http.gate import InputGate
from .http.headers import CommonHeaders
from .http.problems import add_problem_handlers
from .rest.events import event_routes
from .rest.state import state_routes
from .rest.twins import twin_routes
from .sparql.graphs import graph_routes
from .sparql.query import sparql_routes
from .web.pages import page_routes
from .web.rendering import static_files
from .web.views import discover_views

TITLE = "voltwin"


def create_app(fleet: FleetAccess, limits: InputLimits | None = None) -> FastAPI:
    """The application; it does not close ``fleet``."""
    # The pages that FastAPI makes of the description load scripts from elsewhere; the description itself stays.
    app = FastAPI(
        title=TITLE, docs_url=None, redoc_url=None, description="A fleet of digital twins, by path and SPARQL."
    )
    limits = limits or InputLimits()
    add_problem_handlers(app)
    app.include_router(sparql_routes(fleet, limits))
    app.include_router(graph_routes(fleet, limits))
    app.include_router(twin_routes(fleet, limits))
    app.include_router(state_routes(fleet, limits))
    app.include_router(page_routes(fleet, discover_views()))
    if isinstance(fleet, LocalFleet):  # the journal is here
        app.include_router(event_routes(fleet))
    app.mount("/static", static_files())
    app.add_middleware(InputGate, limits=limits)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=[ERROR_HEADER],
    )
    app.add_middleware(CommonHeaders)
    return app
