"""How the fleet is: ``/validate``, ``/status`` and ``/health``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ..graphstore.access import Fleet


def state_routes(fleet: Fleet) -> APIRouter:
    """Validation, totals, and whether anybody is there."""
    router = APIRouter(tags=["state"])

    @router.get("/validate", summary="SHACL over all twins, or over one")
    def validate(twin: str | None = None) -> dict[str, Any]:
        return fleet.validate(twin).to_json()

    @router.get("/status", summary="Totals: twins, commits, messages, runs by state, dead letters")
    def status() -> dict[str, Any]:
        return dict(fleet.status())

    @router.get("/health", summary="Whether the server answers")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return router
