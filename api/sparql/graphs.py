"""The SPARQL 1.1 Graph Store Protocol: whole graphs by GET, PUT, POST and DELETE at ``/graphs``.

    curl -X PUT 'http://127.0.0.1:8000/graphs?graph=https://fleet.example/materials' \
         -H 'Content-Type: text/turtle' --data-binary @materials.ttl

``?graph=IRI`` names the graph; without it the address of the request does (``/graphs/…``), and a POST to ``/graphs``
creates a graph and returns its name. Bodies may be large (docs/limits.md),
also with ``Content-Encoding: gzip``; TriG and N-Quads may name their graphs themselves. Every request is one commit.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email.parser import BytesParser
from email.policy import HTTP
from io import BytesIO
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse, serialize
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from ...errors import InputError, InputLimitError, NotFoundError
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.fleets.wire import FORCE_HEADER, read_force
from ...graphstore.interfaces import LoadAnswer, QueryAnswer
from ...graphstore.queries.results import choose_formats
from ...graphstore.sparql.binding import WHOLE_GRAPH, bind
from ...graphstore.update.files import FORMATS, file_name
from ...graphstore.update.nesting import check_triple_terms
from ...settings import InputLimits
from ..http.accept import negotiate
from ..http.author import proved_author
from .request import ProtocolRequest, negotiated, refuse_foreign_pages

_UNION: Final = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
_EXISTS: Final = "ASK { GRAPH $graph { ?s ?p ?o } }"
_SKOLEM: Final = "/.well-known/genid/"
_QUADS: Final = ("application/trig", "application/n-quads")
_MULTIPART: Final = "multipart/form-data"
_NO_DEFAULT: Final = "graph: the default graph is the union of all graphs and cannot be written; name one, ?graph=IRI"


class UnsupportedGraphBody(InputError):
    """A body of a media type that holds no graph."""

    status = 415


@dataclass(frozen=True)
class Addressed:
    """The graph of a request; None is the default graph, or the graphs that the body names."""

    graph: str | None
    author: str
    new: bool = False


def graph_routes(fleet: FleetAccess, limits: InputLimits) -> APIRouter:
    """The graph store, below ``/graphs``."""
    router = APIRouter(tags=["graphs"])

    def read(request: Request) -> Response:
        return _read(fleet, _address(request, limits).graph, request.headers.get("accept"))

    async def write(request: Request) -> Response:
        with tempfile.TemporaryDirectory(prefix="voltwin-graph-") as place:
            body = Path(place) / "body"
            with body.open("wb") as out:
                async for piece in request.stream():
                    out.write(piece)
            return await run_in_threadpool(_write, fleet, request, body, limits)

    def delete(request: Request) -> Response:
        refuse_foreign_pages(request)
        address = _address(request, limits)
        with tempfile.TemporaryDirectory(prefix="voltwin-graph-") as place:
            nothing = Path(place) / "nothing.nt"
            nothing.touch()
            done = fleet.load(
                nothing, graph=_named(address), author=address.author, replace=True, force=_force(request)
            )
        if not done.removed:
            raise _missing(address.graph)
        return JSONResponse(asdict(done))

    for path in ("/graphs", "/graphs/{rest:path}"):
        shown = path == "/graphs"
        router.add_api_route(path, read, methods=["GET"], include_in_schema=shown, summary="A whole graph")
        router.add_api_route(path, write, methods=["PUT"], include_in_schema=shown, summary="Replace a graph")
        router.add_api_route(path, write, methods=["POST"], include_in_schema=shown, summary="Add to a graph")
        router.add_api_route(path, delete, methods=["DELETE"], include_in_schema=shown, summary="Remove a graph")
    return router


def _address(request: Request, limits: InputLimits) -> Addressed:
    sent = ProtocolRequest.read(None, None, request.url.query)
    author = proved_author(sent.one("author"), limits)
    graphs, default = sent.all("graph"), "default" in sent.parameters
    if len(graphs) + default > 1:
        raise InputError("graph: name one graph, by ?graph=IRI or ?default")
    if graphs:
        return Addressed(_iri(graphs[0]), author)
    if default:
        return Addressed(None, author)
    here = str(request.url.replace(query=""))
    collection = request.url.path.rstrip("/") == "/graphs"
    return Addressed(_iri(f"{here.rstrip('/')}/{uuid.uuid4()}" if collection else here), author, new=collection)


def _force(request: Request) -> int | None:
    return read_force(request.headers.get(FORCE_HEADER))


def _iri(text: str) -> str:
    try:
        return NamedNode(text).value
    except ValueError as error:
        raise InputError(f"graph {text!r}: not an absolute IRI ({error})") from error


def _named(address: Addressed) -> str:
    if address.graph is None:
        raise InputError(_NO_DEFAULT)
    return address.graph


def _missing(graph: str | None) -> NotFoundError:
    return NotFoundError(f"graph {graph}: there is none; `SELECT DISTINCT ?g {{ GRAPH ?g {{}} }}` lists them")


def _read(fleet: FleetAccess, graph: str | None, accept: str | None) -> Response:
    chosen = choose_formats(negotiate(accept, ())).rdf or RdfFormat.TURTLE
    query = _UNION if graph is None else bind(WHOLE_GRAPH, {"graph": NamedNode(graph)})
    found = fleet.query(query, RdfFormat.N_TRIPLES.media_type)
    if graph is not None and not found.body.strip():
        raise _missing(graph)
    triples = (_with_blank_nodes(quad.triple) for quad in parse(found.body, format=RdfFormat.N_TRIPLES))
    return negotiated(QueryAnswer(chosen.media_type, serialize(triples, format=chosen) or b""))


def _with_blank_nodes(triple: Triple) -> Triple:
    """``triple`` in its original form: IRIs of skolemised blank nodes become blank nodes again."""

    def node(term: NamedNode | BlankNode | Literal | Triple) -> NamedNode | BlankNode | Literal | Triple:
        if isinstance(term, NamedNode) and _SKOLEM in term.value:
            return BlankNode(f"b{term.value.rpartition('/')[2]}")
        return term

    subject = node(triple.subject)
    assert isinstance(subject, NamedNode | BlankNode)
    return Triple(subject, triple.predicate, node(triple.object))


def _write(fleet: FleetAccess, request: Request, body: Path, limits: InputLimits) -> Response:
    refuse_foreign_pages(request)
    address, replace = _address(request, limits), request.method == "PUT"
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    itself = media in _QUADS and (address.new or "default" in request.query_params)
    if address.new and replace and not itself:
        raise InputError("graph: PUT replaces one graph; name it, ?graph=IRI")
    graph = None if itself else _named(address)
    file = _file(request, media, graph, body, limits)
    existed = graph is not None and b"true" in fleet.query(bind(_EXISTS, {"graph": NamedNode(graph)}), "text/csv").body
    done: LoadAnswer = fleet.load(file, graph=graph, author=address.author, replace=replace, force=_force(request))
    headers = {"Location": graph} if address.new and graph is not None else {}
    return JSONResponse(asdict(done), 200 if existed or graph is None else 201, headers)


def _file(request: Request, media: str, graph: str | None, body: Path, limits: InputLimits) -> Path:
    """The body as a file with the extension of its format."""
    if media == _MULTIPART:
        if body.stat().st_size > limits.body_bytes:  # it is read into memory
            raise InputLimitError(f"body: a form has at most {limits.body_bytes} bytes; send the graph as it is")
        joined = body.with_name("parts.nt")
        header = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        with joined.open("w", encoding="utf-8") as out:
            out.writelines(_parts(header + body.read_bytes(), graph, limits))
        return joined
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    name = file_name(media, encoding == "gzip")
    if name is None or encoding not in ("identity", "gzip"):
        raise UnsupportedGraphBody(
            f"Content-Type {media!r}, Content-Encoding {encoding!r}: send text/turtle, application/n-triples, "
            "application/rdf+xml, application/trig or application/n-quads, as it is or gzip"
        )
    return body.rename(body.with_name(name))


def _parts(message: bytes, graph: str | None, limits: InputLimits) -> Iterator[str]:
    """The triples of every part of a form, as lines."""
    for part in BytesParser(policy=HTTP).parsebytes(message).iter_parts():
        # JSON-LD is none of the formats of graphs: its parser ends the process where values are nested deep.
        named = RdfFormat.from_media_type(part.get_content_type())
        known = named if named in FORMATS.values() else None
        payload = part.get_payload(decode=True)
        if known is None or not isinstance(payload, bytes):
            raise UnsupportedGraphBody(f"part {part.get_filename() or ''!r}: Content-Type {part.get_content_type()!r}")
        check_triple_terms("body", BytesIO(payload), limits)
        try:
            for quad in parse(payload, format=known, base_iri=graph, rename_blank_nodes=True):
                yield f"{quad.triple} .\n"
        except (SyntaxError, MemoryError) as error:
            raise InputError(f"part {part.get_filename() or ''!r}: cannot be read as {known.name}: {error}") from error
