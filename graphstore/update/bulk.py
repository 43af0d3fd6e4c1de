"""Bulk loads: an RDF file of any size becomes one commit, read as a stream.

Few triples are journaled like any change; many are written to one compressed file per graph,
which the commit names (:mod:`~voltwin.graphstore.journal.bulk_files`), so that no triple is stored twice.
"""

from __future__ import annotations

import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode

from ...errors import InputError, StoreError
from ..interfaces import GraphChange, GraphLoad, LoadAnswer
from ..journal.changes import touched_by
from ..journal.commit import Committer
from .files import NewGraph, read_graphs
from .protected import check_writable
from .session import UpdateSession

FEW: Final = 1_000
"""The triples of one graph below which they are journaled like any change."""

FEW_ALTOGETHER: Final = 50_000
"""The most triples of all such graphs of one file."""


def run_load(file: Path, graph: str | None, replace: bool, session: UpdateSession) -> LoadAnswer:
    """Load ``file``. Raises InputError, QueryError (a graph that is a view), RuleError, ActionError, StoreError."""
    committer, names = session.committer, session.names
    if committer.loads is None:
        raise StoreError(f"{file}: this fleet was opened without the folder of its bulk loads")
    target = _graph(graph)
    # Beside the loads: the disk that receives the load has space for its file.
    with tempfile.TemporaryDirectory(prefix=".reading-", dir=_create(committer.loads.folder)) as place:
        graphs = read_graphs(file, target, names, Path(place), replace, committer.inputs)
        for new in graphs:
            check_writable(new.graph, names)
        few = {new.graph for new in graphs if new.triples < FEW}
        if sum(new.triples for new in graphs if new.graph in few) > FEW_ALTOGETHER:
            few = set()
        kept = {new.graph: committer.loads.store_lines(new.lines()) for new in graphs if new.graph not in few}
        with committer.lock:
            changes = [_change(new, committer, replace, whole=new.graph in few) for new in graphs]
            if replace and target is not None and target not in {new.graph for new in graphs}:
                changes.append(_change(NewGraph(target, None, 0), committer, replace, whole=True))
            removed = sum(change.removed.count("\n") for change in changes)
            changes = [change for change in changes if change.removed or change.added]
            loads = [GraphLoad(graph, file, count) for graph, (file, count) in kept.items()]
            sequence = session.commit(changes, touched_by(changes), loads) if changes or loads else None
    return LoadAnswer(sequence, sum(new.triples for new in graphs), removed)


def _graph(iri: str | None) -> NamedNode | None:
    try:
        return None if iri is None else NamedNode(iri)
    except ValueError as error:
        raise InputError(f"graph {iri!r}: not an absolute IRI ({error})") from error


def _create(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be created: {error}") from error
    return folder


def _change(new: NewGraph, committer: Committer, replace: bool, whole: bool) -> GraphChange:
    """The triples to remove (when replacing) and to add (when ``whole``)."""
    store, graph = committer.store, new.graph
    present = (f"{quad.triple} .\n".encode() for quad in store.quads(None, None, None, graph))
    removed: list[bytes] = []
    if whole:
        wanted = set(new.lines())
        stored = set(present)
        removed = sorted(stored - wanted) if replace else []
        return GraphChange(graph, _text(removed), _text(sorted(wanted - stored)))
    if replace:
        # A load is applied before the changes of its commit, which must not remove its triples.
        loaded = {_digest(line) for line in new.lines()}
        removed = sorted(line for line in present if _digest(line) not in loaded)
    return GraphChange(graph, _text(removed), "")


def _digest(line: bytes) -> bytes:
    return blake2b(line, digest_size=16).digest()


def _text(lines: list[bytes]) -> str:
    return b"".join(lines).decode()
