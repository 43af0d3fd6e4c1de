"""Twins by path: the URL below ``/twins`` is the path, percent-encoded as URLs are.

``GET /twins/module-0017/cells/cell-03/voltage`` answers
``{"path": "/module-0017/cells/cell-03/voltage", "answers": [{"value": 3.65, "unit": "V", …}]}``.
A path that names one thing and finds nothing is 404 there. ``GET /paths?path=…`` asks for all that a
path names, nothing being an answer too; it also takes what URLs swallow, such as ``..``. With ``as_of`` both
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

Scalar = bool | int | float | str
AsOf = Annotated[
    str | None,
    Query(description="As it was believed then: a time (RFC 3339 with a zone) or the number of a commit."),
]


class Put(BaseModel):
    """One value to put where a path says."""

    model_config = ConfigDict(extra="forbid", strict=True)

    value: Scalar | list[Scalar]
    unit: str | None = Field(None, description="Local name of a QUDT unit; null for what has none.")
    time: str | None = Field(None, description="RFC 3339 with a zone; now, if left out.")
    author: str = Field(min_length=1, description="Who says so; goes into the journal.")


def twin_routes(fleet: FleetAccess) -> APIRouter:
    """Reading and writing by path."""
    router = APIRouter(tags=["twins"])

    @router.get("/twins/{path:path}", summary="What a path answers")
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
        return {"sequence": fleet.put(f"/{path}", body.value, unit=body.unit, time=moment, author=body.author)}

    return router


def _respond(path: str, answers: list[Answer]) -> dict[str, Any]:
    return {"path": path, "answers": [answer.to_json() for answer in answers]}
