"""State of the fleet: ``/validate``, ``/status`` and ``/health``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ...graphstore.fleets.asking import at_moment
from ...graphstore.fleets.fleet import FleetAccess
from .twins import AsOf


def state_routes(fleet: FleetAccess) -> APIRouter:
    """Validation, totals, and whether the server answers."""
    router = APIRouter(tags=["state"])

    @router.get("/validate", summary="SHACL over all twins, or over one")
    def validate(twin: str | None = None, as_of: AsOf = None) -> dict[str, Any]:
        return at_moment(fleet, as_of).validate(twin).to_json()

    @router.get("/status", summary="Totals: twins, commits, messages, runs by state, dead letters")
    def status(as_of: AsOf = None) -> dict[str, Any]:
        return dict(at_moment(fleet, as_of).status())

    @router.get("/health", summary="Whether the server answers")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return router
