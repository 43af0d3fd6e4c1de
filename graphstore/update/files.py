"""Reading of RDF files as streams: each graph's triples as sorted N-Triples, blank nodes as IRIs, memory bounded.

Only blank nodes are kept in memory (about a hundred bytes each), because they may recur anywhere in the file.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Final

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, RdfFormat, Triple, parse

from ...errors import InputError
from ...ontology.naming import Naming
from ...settings import InputLimits
from ..interfaces import Node
from ..sparql.gate import check_lines
from .nesting import check_triple_terms
from .templates import as_stored

FORMATS: Final = {
    ".ttl": RdfFormat.TURTLE,
    ".nt": RdfFormat.N_TRIPLES,
    ".rdf": RdfFormat.RDF_XML,
    ".owl": RdfFormat.RDF_XML,
    ".trig": RdfFormat.TRIG,
    ".nq": RdfFormat.N_QUADS,
}

_AT_ONCE: Final = 20_000
_HELD: Final = 200_000


@dataclass(frozen=True)
class NewGraph:
    """The triples of one graph in a file, as N-Triples in a file of their own; None without triples."""

    graph: NamedNode
    file: Path | None
    triples: int

    def lines(self) -> Iterator[bytes]:
        """The lines, a triple each, with line feeds."""
        if self.file is not None:
            with self.file.open("rb") as lines:
                yield from lines


def format_of(file: Path) -> RdfFormat:
    """The format of a file, by its extension. Raises InputError."""
    name = file.with_suffix("") if file.suffix == ".gz" else file
    if name.suffix not in FORMATS:
        raise InputError(f"{file}: not a known RDF file; use the extension {', '.join(FORMATS)}, with or without .gz")
    return FORMATS[name.suffix]


def media_type(file: Path) -> str:
    """The media type of a file, by its extension. Raises InputError."""
    return format_of(file).media_type


def file_name(media: str, gzipped: bool) -> str | None:
    """A file name with the extension of a media type (without parameters); None for an unknown one."""
    known = RdfFormat.from_media_type(media)
    suffix = next((suffix for suffix, format_ in FORMATS.items() if format_ == known), None)
    return suffix and f"body{suffix}{'.gz' if gzipped else ''}"


def read_graphs(
    file: Path, target: NamedNode | None, names: Naming, place: Path, whole: bool, limits: InputLimits
) -> list[NewGraph]:
    """The graphs in ``file``, each in a file below ``place``; triples outside of graphs are for ``target``.

    The same file gives the same IRIs for blank nodes. Those of a ``whole`` graph depend on their order alone, so that
    replacing a graph by a changed file changes little. Raises InputError if the file cannot be read.
    """
    format_ = format_of(file)
    spool = _Spool(place, limits)
    try:
        with _open(file) as source:
            check_triple_terms(str(file), source, limits)
        nodes = _Nodes(names, f"{target} {'' if whole else _content(file)}")
        with _open(file) as source:
            quads = iter(parse(source, format=format_, base_iri=None if target is None else target.value))
            while part := [_named(quad, target, nodes, file) for quad in islice(quads, _AT_ONCE)]:
                spool.add(as_stored(part))
    except (SyntaxError, UnicodeDecodeError, EOFError, MemoryError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{file}: cannot be read as {format_.name}: {error}") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror or error}") from error
    return spool.graphs()


def _open(file: Path) -> IO[bytes]:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]  # reads bytes


def _content(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _named(quad: Quad, target: NamedNode | None, nodes: _Nodes, file: Path) -> Quad:
    graph = target if isinstance(quad.graph_name, DefaultGraph) else nodes.node(quad.graph_name)
    if graph is None:
        raise InputError(f"{file}: has triples outside of named graphs; name their graph (--graph IRI)")
    subject = nodes.node(quad.subject)
    assert isinstance(subject, NamedNode)
    assert isinstance(graph, NamedNode)
    return Quad(subject, quad.predicate, nodes.node(quad.object), graph)


class _Nodes:
    """IRIs for the blank nodes of one file; ``seed`` distinguishes them from those of other files."""

    def __init__(self, names: Naming, seed: str) -> None:
        self._names, self._seed = names, seed
        self._known: dict[str, NamedNode] = {}

    def node(self, node: Node) -> Node:
        """``node`` itself, or the IRI of a blank node."""
        if isinstance(node, Triple):
            subject = self.node(node.subject)
            assert isinstance(subject, NamedNode)
            return Triple(subject, node.predicate, self.node(node.object))
        if not isinstance(node, BlankNode):
            return node
        known = self._known.get(node.value)
        if known is None:
            digest = hashlib.sha256(f"{self._seed} {len(self._known)}".encode()).hexdigest()
            known = self._known[node.value] = NamedNode(self._names.skolem + digest[:32])
        return known


class _Spool:
    """Sorts lines into a file per graph, some hundred thousand at a time."""

    def __init__(self, place: Path, limits: InputLimits) -> None:
        self._place, self._limits = place, limits
        self._held: dict[NamedNode, list[str]] = {}
        self._count = 0
        self._files: dict[NamedNode, tuple[Path, int]] = {}

    def add(self, quads: list[Quad]) -> None:
        """Add some quads; those of each graph in a stable order."""
        for quad in quads:
            assert isinstance(quad.graph_name, NamedNode)
            line = f"{quad.triple} .\n"
            check_lines(line, self._limits)
            self._held.setdefault(quad.graph_name, []).append(line)
        self._count += len(quads)
        if self._count >= _HELD:
            self._write()

    def _write(self) -> None:
        for graph, lines in self._held.items():
            file, count = self._files.get(graph, (self._place / f"{len(self._files)}.nt", 0))
            with file.open("ab") as out:
                out.write("".join(sorted(lines)).encode())
            self._files[graph] = (file, count + len(lines))
        self._held.clear()
        self._count = 0

    def graphs(self) -> list[NewGraph]:
        """All graphs, in the order of their IRIs."""
        self._write()
        ordered = sorted(self._files.items(), key=lambda item: item[0].value)
        return [NewGraph(graph, file, count) for graph, (file, count) in ordered]
