"""SPARQL Update over the SPARQL 1.1 protocol: POST of the bare text, or of a form with ``update=…``.

    curl http://127.0.0.1:8000/sparql -H 'Content-Type: application/sparql-update' --data-binary @fix.ru

``using-graph-uri`` and ``using-named-graph-uri`` name the dataset. The answer is
``{"sequence": 4711, "added": 2, "removed": 1}``.
"""

from __future__ import annotations

from dataclasses import asdict

from starlette.responses import JSONResponse, Response

from ...errors import QueryError
from ...graphstore.fleets.asking import at_moment
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.sparql.dataset import with_base
from ...graphstore.update.parse import with_using
from ...settings import InputLimits
from ..http.author import proved_author
from .request import ProtocolRequest


def answer_update(
    fleet: FleetAccess, sent: ProtocolRequest, endpoint: str, limits: InputLimits, force: int | None
) -> Response:
    """Apply the update; relative IRIs are below ``endpoint``. Raises VoltwinError."""
    text = with_base(update_text(sent, limits), endpoint)
    author = proved_author(sent.one("author"), limits)
    return JSONResponse(asdict(at_moment(fleet, sent.one("as_of")).update(text, author=author, force=force)))


def update_text(sent: ProtocolRequest, limits: InputLimits) -> str:
    """The update over the request's dataset. Raises QueryError."""
    if "query" in sent.parameters:
        raise QueryError("update: sent together with a query; send one of them")
    return with_using(sent.one("update") or "", sent.all("using-graph-uri"), sent.all("using-named-graph-uri"), limits)
