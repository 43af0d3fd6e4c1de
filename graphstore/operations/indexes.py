"""Every index of the embedded engine, read whole and compared with the journal's quads.

The engine keeps the quads in six orders (SPOG, POSG, OSPG, GSPO, GPOS, GOSP) beside a table of texts and a list of
graphs, and chooses one of them by what a pattern names. An error in one order shows only to patterns that use it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import Quad

from ..engines.oxigraph import OxigraphStore
from .progress import Progress, no_progress

_Pattern = tuple[Any, Any, Any, Any]

_INDEXES: Final[Mapping[str, Callable[[Quad], _Pattern]]] = {
    "subject": lambda quad: (quad.subject, None, None, None),
    "predicate": lambda quad: (None, quad.predicate, None, None),
    "object": lambda quad: (None, None, quad.object, None),
    "graph": lambda quad: (None, None, None, quad.graph_name),
    "graph and predicate": lambda quad: (None, quad.predicate, None, quad.graph_name),
    "graph and object": lambda quad: (None, None, quad.object, quad.graph_name),
}


@dataclass(frozen=True)
class IndexDifference:
    """An index that answers a pattern with another number of quads than the journal has."""

    by: str
    missing: int
    extra: int
    example: str


def compare_indexes(
    made: OxigraphStore, present: OxigraphStore, progress: Progress = no_progress
) -> Iterator[IndexDifference]:
    """Read ``present`` by each kind of pattern and count its quads; ``made`` has those that it should have.

    The graphs of both must have been compared: then they have the same terms, and no pattern is left out.
    Raises GraphDamagedError where a block of an index cannot be read.
    """
    wanted: dict[str, Counter[_Pattern]] = {by: Counter() for by in _INDEXES}
    for quad in made.quads(None, None, None, None):
        for by, pattern in _INDEXES.items():
            wanted[by][pattern(quad)] += 1
    for number, by in enumerate(_INDEXES):
        progress("reading indexes", number, len(_INDEXES))
        missing = extra = 0
        example = ""
        for asked, count in wanted.pop(by).items():
            have = sum(1 for _ in present.quads(*asked))
            if have != count:
                missing += max(0, count - have)
                extra += max(0, have - count)
                example = example or " ".join(str(term) for term in asked if term is not None)
        if missing or extra:
            yield IndexDifference(by, missing, extra, example)
    # A graph without quads may stay in the list.
    if unlisted := made.named_graphs() - present.named_graphs():
        yield IndexDifference("name of graph", len(unlisted), 0, min(map(str, unlisted)))
