"""State of the fleet: ``/validate``, ``/status`` and ``/health``; ``/rollback`` goes back to an earlier one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from ...graphstore.fleets.asking import at_moment
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.fleets.wire import read_force
from ...settings import InputLimits
from ..http.author import proved_author
from .twins import AsOf


class Rollback(BaseModel):
    """The commit to go back to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    to: int = Field(ge=1, description="The number of a commit.")
    data: bool = Field(False, description="Statements of twins, series and births too, not the design alone.")
    author: str = Field("", description="Who says so; measured, and not recorded, since nothing proves it.")


def state_routes(fleet: FleetAccess, limits: InputLimits) -> APIRouter:
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

    @router.post("/rollback", summary="Go back to an earlier commit by a new one")
    def rollback(body: Rollback, voltwin_force: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        force = read_force(voltwin_force)
        return asdict(fleet.rollback(body.to, data=body.data, author=proved_author(body.author, limits), force=force))

    return router
