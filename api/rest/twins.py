"""Twins by path: the URL below ``/twins`` is the path, percent-encoded as URLs are.

``GET /twins/pump-17/bearings/bearing-2/clearance`` answers
``{"path": "/pump-17/bearings/bearing-2/clearance", "answers": [{"value": 0.02, "unit": "MilliM", …}]}``.
A path that names one thing and finds nothing is 404 there. ``GET /paths?path=…`` returns all that a
path names, which may be nothing; it also takes steps that URLs drop, such as ``..``. With ``as_of`` both
answer as known then.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from ...graphstore.fleets.asking import ask, at_moment
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import Answer
from ...ontology.literals import parse_time
from ...settings import InputLimits
from ..http.author import proved_author

Scalar = bool | int | float | str
AsOf = Annotated[
    str | None,
    Query(description="As known at a time (RFC 3339 with a zone; transaction time) or after a commit (its number)."),
]


class Put(BaseModel):
    """One value to put where a path says."""

    model_config = ConfigDict(extra="forbid", strict=True)

    value: Scalar | list[Scalar]
    unit: str | None = Field(None, description="Local name of a QUDT unit; null for a property without one.")
    time: str | None = Field(None, description="RFC 3339 with a zone; now, if left out.")
    author: str = Field("", description="Not recorded: the journal's author is what the server can prove.")


def twin_routes(fleet: FleetAccess, limits: InputLimits) -> APIRouter:
    """Reading and writing by path."""
    router = APIRouter(tags=["twins"])

    @router.get("/twins/{path:path}", summary="Answers of a path")
    def read(path: str, as_of: AsOf = None) -> dict[str, Any]:
        return _respond(f"/{path}", ask(at_moment(fleet, as_of), f"/{path}"))

    @router.get("/paths", summary="Everything a path names, which may be nothing")
    def read_all(path: str, as_of: AsOf = None) -> dict[str, Any]:
        return _respond(path, at_moment(fleet, as_of).all(path))

    @router.get("/structure", summary="A twin or part: its properties with type, unit and value, its parts")
    def structure(path: str, depth: Annotated[int | None, Query(ge=0)] = None, as_of: AsOf = None) -> dict[str, Any]:
        return at_moment(fleet, as_of).structure(path, depth).to_json()

    @router.put("/twins/{path:path}", summary="Put one value")
    def write(path: str, body: Put) -> dict[str, int]:
        moment = datetime.now(UTC) if body.time is None else parse_time(body.time)
        author = proved_author(body.author, limits)
        return {"sequence": fleet.put(f"/{path}", body.value, unit=body.unit, time=moment, author=author)}

    return router


def _respond(path: str, answers: list[Answer]) -> dict[str, Any]:
    return {"path": path, "answers": [answer.to_json() for answer in answers]}
