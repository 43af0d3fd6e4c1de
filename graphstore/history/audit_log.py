r"""The audit log: author, time and changes of each commit in plain words, a paragraph a commit.

>>> from datetime import UTC, datetime
>>> from pyoxigraph import NamedNode
>>> from voltwin.graphstore.history.events import Event
>>> from voltwin.graphstore.interfaces import GraphChange
>>> from voltwin.graphstore.history.audit_log import paragraph
>>> from voltwin.ontology.naming import Naming
>>> twin = "https://fleet.example/twins/pump-07"
>>> text = f'<{twin}/bearing> <https://m.example/plant#Bearing.wear> "%s" .'
>>> change = GraphChange(NamedNode(twin), text % 3.65, text % 3.5)
>>> event = Event(7, datetime(2019, 4, 1, tzinfo=UTC), "bench-2", ("pump-07",), changes=(change,))
>>> print("\n".join(paragraph(event, Naming("https://fleet.example/"))))
commit 7 · 2019-04-01T00:00:00Z · bench-2
  /pump-07/bearing/wear: 3.65 becomes 3.5
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from ...ontology.iris import RDF, VT
from ...ontology.literals import format_time
from ...ontology.naming import Naming
from ..interfaces import GraphChange, Node
from ..journal.changes import UNPARSABLE, is_parsable
from .events import Event

MOST_LINES: Final = 20
"""The most lines of a commit, unless more are requested; the rest is counted."""

_QUIET: Final = frozenset({VT.partOf, VT.key})
"""Properties that locate a node and are not reported as changes of it."""

_SERIES: Final = frozenset({VT.firstTime, VT.lastTime, VT.lastValue, VT.sampleCount})

Slot = tuple[NamedNode, NamedNode]


def line(event: Event) -> str:
    """One commit as a line: number, time, author, twins and graphs, and counts."""
    touched = [*event.twins[:3], *(["…"] if len(event.twins) > 3 else []), *event.graphs]
    samples = sum(event.samples.values())
    counted = [
        f"{count} {what}"
        for count, what in ((len(event.twins), "twins"), (len(event.properties), "properties"), (samples, "samples"))
        if count > (what == "twins")
    ]
    return "  ".join(
        part
        for part in (
            f"{event.sequence:>6}",
            format_time(event.time),
            event.author,
            " ".join(touched),
            f"({', '.join(counted)})" if counted else "",
            f"DAMAGED: {event.damaged}" if event.damaged else "",
        )
        if part
    )


def triples(event: Event) -> list[str]:
    """The triples removed and added, as N-Triples after a sign, by graph."""
    return [
        f"        {sign} {text}"
        for change in event.changes or ()
        for sign, lines in (("-", change.removed), ("+", change.added))
        for text in lines.split("\n")
        if text
    ]


def paragraph(event: Event, names: Naming, most: int | None = MOST_LINES) -> list[str]:
    """One commit in words; ``most`` limits the lines (None: all). The event must include its changes."""
    lines = list(_sentences(event, names))
    shown = lines if most is None else lines[:most]
    more = [f"  and {len(lines) - len(shown)} more"] if len(lines) > len(shown) else []
    head = f"commit {event.sequence} · {format_time(event.time)} · {event.author}"
    if event.damaged:
        head += f" · DAMAGED: {event.damaged}; only what does match is listed"
    return [head, *(f"  {line}" for line in shown), *more]


def _sentences(event: Event, names: Naming) -> Iterator[str]:
    for change in event.changes or ():
        twin = names.owner(change.graph)
        if not is_parsable(change):
            yield f"{change.graph.value.removeprefix(names.base)}: changes that cannot be parsed"
        elif twin is None:
            yield _about_graph(change, names)
        else:
            yield from _about_twin(change, twin, names)
    for series, rows in event.samples.items():
        yield f"{series}: {rows} {'sample' if rows == 1 else 'samples'}"
    for graph, triples in event.loaded.items():
        yield f"{graph}: loaded {triples} triples"


def _about_graph(change: GraphChange, names: Naming) -> str:
    removed, added = change.removed.count("\n"), change.added.count("\n")
    subjects = {triple.subject for triple in (*_triples(change.removed), *_triples(change.added))}
    things = sorted({_thing(subject, names) for subject in subjects} - {""})
    named = f" ({', '.join(things)})" if 0 < len(things) <= 5 else ""
    return f"{change.graph.value.removeprefix(names.base)}: {added} added, {removed} removed{named}"


def _thing(subject: object, names: Naming) -> str:
    if not isinstance(subject, NamedNode) or subject.value.startswith(names.skolem):
        return ""
    return subject.value.removeprefix(names.base).replace("#", "/").rpartition("/")[2]


def _about_twin(change: GraphChange, twin: NamedNode, names: Naming) -> Iterator[str]:
    before, after = _slots(change.removed), _slots(change.added)
    if RDF.type in {predicate for subject, predicate in after if subject == twin} and (twin, VT.key) in after:
        yield f"{names.path_of(twin)}: created as {_classes(after[(twin, RDF.type)])}"
    for slot in sorted(before.keys() | after.keys(), key=lambda slot: (slot[0].value, slot[1].value)):
        subject, predicate = slot
        # Observations (#) are the metadata of a value, which has a line of its own.
        if "#" in subject.value or predicate in _QUIET or predicate in _SERIES or predicate == RDF.type:
            continue
        where = f"{names.path_of(subject)}/{_step(predicate)}"
        old, new = (_values(found.get(slot, ()), names) for found in (before, after))
        if old and new:
            yield f"{where}: {old} becomes {new}"
        else:
            yield f"{where}: {new}" if new else f"{where}: {old} removed"


def _classes(types: Iterable[Node]) -> str:
    return ", ".join(sorted(_step(item) for item in types if isinstance(item, NamedNode) and not _is_core(item)))


def _is_core(cls: NamedNode) -> bool:
    return cls.value.startswith(VT.Twin.value.removesuffix("Twin"))


def _step(predicate: NamedNode) -> str:
    return predicate.value.replace("/", "#").rpartition("#")[2].rpartition(".")[2]


def _values(terms: Iterable[Node], names: Naming) -> str:
    return ", ".join(sorted(_value(term, names) for term in terms))


def _value(term: Node, names: Naming) -> str:
    if isinstance(term, Literal):
        return term.value
    if not isinstance(term, NamedNode):
        return str(term)
    return names.path_of(term) if term.value.startswith(names.twins) else _step(term)


def _slots(text: str) -> dict[Slot, list[Node]]:
    slots: dict[Slot, list[Node]] = {}
    for triple in _triples(text):
        if isinstance(triple.subject, NamedNode):
            slots.setdefault((triple.subject, triple.predicate), []).append(triple.object)
    return slots


def _triples(text: str) -> list[Triple]:
    try:
        return [quad.triple for quad in parse(text, format=RdfFormat.N_TRIPLES)]
    except UNPARSABLE:
        return []
