"""SPARQL Update over the SPARQL 1.1 protocol: POST of the bare text, or of a form with ``update=…``.

    curl http://127.0.0.1:8000/sparql?author=ann -H 'Content-Type: application/sparql-update' --data-binary @fix.ru

``using-graph-uri`` and ``using-named-graph-uri`` name the dataset; ``author`` (not of the protocol) goes into the
journal. The answer is ``{"sequence": 4711, "added": 2, "removed": 1}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ...errors import QueryError, VoltwinError
from ...graphstore.fleets.asking import at_moment
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.fleets.wire import ERROR_HEADER, UPDATE_TYPE, public_name
from ...graphstore.sparql.dataset import with_base
from ...graphstore.update.parse import with_using

FORM_TYPE: Final = "application/x-www-form-urlencoded"
NOBODY: Final = "SPARQL protocol"
"""The author of what came without one."""

_UTF8: Final = ("utf-8", "utf8", "us-ascii", "ascii")


class ForeignPage(QueryError):
    """A write that a web page of another origin has sent."""

    status = 403


class CharacterSetRefused(QueryError):
    """A body in another character set than UTF-8."""

    status = 415


@dataclass(frozen=True)
class SparqlUpdate:
    """A protocol request taken apart."""

    text: str
    author: str
    as_of: str | None


def is_update(content_type: str | None, body: bytes) -> bool:
    """Whether a POST asks for an update: by its type, or as a form with a field of that name."""
    kind = _kind(content_type)
    return kind == UPDATE_TYPE or (kind == FORM_TYPE and any(f.startswith(b"update=") for f in body.split(b"&")))


def answer_update(fleet: FleetAccess, request: Request, body: bytes) -> Response:
    """Carry an update out, or tell in plain text what is wrong; relative IRIs are below the endpoint."""
    try:
        refuse_foreign_pages(request)
        wanted = read_update(request.headers.get("content-type"), body, request.url.query)
        text = with_base(wanted.text, str(request.url.replace(query="")))
        return JSONResponse(asdict(at_moment(fleet, wanted.as_of).update(text, author=wanted.author)))
    except VoltwinError as error:
        return PlainTextResponse(f"{error}\n", error.status, {ERROR_HEADER: public_name(error)})


def refuse_foreign_pages(request: Request) -> None:
    """Raises ForeignPage for a write out of a browser that shows a page of another server.

    Browsers send forms anywhere without asking, so leaving writes out of CORS is not enough.
    """
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForeignPage(f"write from {origin}: pages of other servers may read here, not write")


def read_update(content_type: str | None, body: bytes, url: str) -> SparqlUpdate:
    """The update in a request's body, with the parameters of the URL and the form. Raises QueryError."""
    options = [part.strip().lower() for part in (content_type or "").split(";")[1:]]
    charset = next((o.removeprefix("charset=").strip('"') for o in options if o.startswith("charset=")), "utf-8")
    if charset not in _UTF8:
        raise CharacterSetRefused(f"charset {charset!r}: send UTF-8")
    try:
        text = body.decode("utf-8")
        parameters = parse_qs(url, keep_blank_values=True, errors="strict")
        if _kind(content_type) == FORM_TYPE:
            form = parse_qs(text, keep_blank_values=True, errors="strict")
            parameters = {name: [*parameters.get(name, ()), *form.get(name, ())] for name in {*parameters, *form}}
        else:
            parameters["update"] = [*parameters.get("update", ()), text]
    except UnicodeDecodeError as error:
        raise QueryError(f"update: byte {error.start} is not UTF-8; send UTF-8") from error
    if "query" in parameters:
        raise QueryError("update: came with a query; send one of them")
    text = _one(parameters, "update") or ""
    default, named = parameters.get("using-graph-uri", ()), parameters.get("using-named-graph-uri", ())
    return SparqlUpdate(
        with_using(text, default, named), _one(parameters, "author") or NOBODY, _one(parameters, "as_of")
    )


def _one(parameters: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = parameters.get(name, ())
    if len(values) > 1:
        raise QueryError(f"{name}: given {len(values)} times; give it once")
    return values[0] if values else None


def _kind(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()
