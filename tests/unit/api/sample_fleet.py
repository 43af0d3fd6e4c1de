"""A small real fleet of the case study: journal and triple store in a folder, the converted model, three modules.

The figures are made up for the tests; what the reasoner says comes from a fixed resolver, because the
reasoner stands above the graph store and has tests of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Triple

from voltwin import converter
from voltwin.graphstore.answers import Answer, Segment, Trend
from voltwin.graphstore.changes import ChangeSet
from voltwin.graphstore.commit import Committer
from voltwin.graphstore.interfaces import Entry, GraphChange
from voltwin.graphstore.journal import SqliteJournal
from voltwin.graphstore.local import LocalFleet
from voltwin.graphstore.oxigraph import OxigraphStore
from voltwin.graphstore.schema import Property
from voltwin.graphstore.skolem import skolemise
from voltwin.graphstore.writer import Provenance, TwinWriter
from voltwin.ontology import framework
from voltwin.ontology.iris import OWL
from voltwin.ontology.literals import to_microseconds
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
MODEL = Path(converter.__file__).parents[1] / "ontology" / "models" / "battery_logistics.mdj"
EOL = datetime(2019, 4, 1, 6, tzinfo=UTC)
AGES = {"module-0001": 250, "module-0002": 280, "module-0003": 300}
DECISIONS = {"module-0001": "ACCEPT", "module-0002": "REJECT", "module-0003": "RETEST"}
REASONS = {"module-0002": ["LOW_OCV"], "module-0003": ["NOT_SOAKED", "HISTORY_GAP"]}
LOSSES = {"module-0001": 0.0846, "module-0002": 0.0953, "module-0003": 0.1038}
TRUCK = "truck-01"


@dataclass
class FixedTrend:
    """Gives every module the same stitched trend: 25 °C, the truck's log, 22 °C."""

    names: Naming

    def resolve(self, node: NamedNode, prop: Property, moment: datetime | None) -> Sequence[Answer]:
        if prop.name != "temperatureTrend":
            return []
        marks = [to_microseconds(EOL + timedelta(hours=h)) for h in (0, 180, 184, 200, 210, 280)]
        logged = Segment(
            marks[1], marks[4], "measured", "logged-temperature", 10, tuple(marks[1:5]), (25.0, 9.0, 5.0, 8.0)
        )
        guess = [
            Segment(start, end, "best guess", "storage-set-point", 20, (start, end), (value, value))
            for start, end, value in ((marks[0], marks[1], 25.0), (marks[4], marks[5], 22.0))
        ]
        path = f"{self.names.path_of(node)}/{prop.name}"
        return [Answer(path, Trend((guess[0], logged, guess[1])), prop.unit, origin="inferred")]


def make_fleet(folder: Path, modules: Sequence[str] = tuple(AGES)) -> LocalFleet:
    """A fleet in ``folder``; the caller closes it."""
    names = Naming(BASE)
    committer = Committer(SqliteJournal(folder / "journal.sqlite"), OxigraphStore(folder / "store", BASE))
    fleet = LocalFleet(committer, names, FixedTrend(names))
    _load_model(fleet)
    if modules:
        _write_twins(fleet, modules)
    return fleet


def _load_model(fleet: LocalFleet) -> None:
    description = converter.convert(MODEL).description
    names = fleet.names
    graphs: dict[NamedNode, list[Triple]] = {
        names.ontology_graph: [*framework(), *converter.ontology(description)],
        names.shapes_graph: list(converter.shapes(description)),
    }
    for quad in converter.instances(description, names):
        assert isinstance(quad.graph_name, NamedNode)
        graphs.setdefault(quad.graph_name, []).append(quad.triple)
    changes = tuple(
        GraphChange(graph, "", "".join(f"{triple} .\n" for triple in skolemise(triples, graph, names)))
        for graph, triples in graphs.items()
    )
    fleet.committer.commit(Entry("test", EOL, (*changes, *_direct_choices(graphs, names))))
    fleet.reload()


def _direct_choices(graphs: dict[NamedNode, list[Triple]], names: Naming) -> list[GraphChange]:
    triples = skolemise(graphs[names.ontology_graph], names.ontology_graph, names)
    lists = {t.subject: t.object for t in triples if t.predicate == OWL.oneOf}
    same = NamedNode(OWL.NS + "equivalentClass")
    added = [
        Triple(t.subject, OWL.oneOf, lists[t.object]) for t in triples if t.predicate == same and t.object in lists
    ]
    return [GraphChange(names.ontology_graph, "", "".join(f"{t} .\n" for t in added))]


def _write_twins(fleet: LocalFleet, modules: Sequence[str]) -> None:
    changes = ChangeSet(fleet.committer.store)
    writer = TwinWriter(changes, fleet.schema, fleet.names, fleet.committer.journal)
    module_class, truck_class = (fleet.schema.class_named(name).iri for name in ("Module", "Truck"))
    truck = writer.bear(TRUCK, truck_class)
    for hour, value in ((180, 20.0), (190, 5.2), (200, 6.5)):
        moment = EOL + timedelta(hours=hour)
        writer.put(truck, ("logger", "temperature"), value, "DEG_C", Provenance("asserted", moment))
    for key in modules:
        _write_module(writer, writer.bear(key, module_class), key, fleet.names)
    entry = Entry("test", EOL, changes.changes(), tuple(changes.samples), message_keys=("m1", "m2"))
    fleet.committer.commit(entry, tuple(changes.touched()))


def _write_module(writer: TwinWriter, twin: NamedNode, key: str, names: Naming) -> None:
    arrival = EOL + timedelta(hours=AGES[key])
    leaving, landing = EOL + timedelta(hours=180), EOL + timedelta(hours=210)

    def told(path: str, value: Any, unit: str | None = None, moment: datetime = EOL) -> None:
        writer.put(twin, path.split("/"), value, unit, Provenance("asserted", moment))

    def computed(path: str, value: Any, unit: str | None = None, action: str = "decide-arrival") -> None:
        source = names.run(f"{action}~{key}~{arrival:%Y-%m-%dT%H:%M:%SZ}")
        writer.put(twin, path.split("/"), value, unit, Provenance("computed", arrival, source))

    told("serial", f"S-{key[-4:]}")
    told("capacity", 12.5, "A-HR")
    told("curve", "bpx-nmc111")
    told("endOfLineTest/performedAt", EOL)
    told("endOfLineTest/ocv", 43.8, "V")
    told("endOfLineTest/temperature", 25.0, "DEG_C")
    told("endOfLineTest/rest", 6.0, "HR")
    told("storageStays/outbound/begin", EOL + timedelta(minutes=20))
    told("storageStays/outbound/storage", "storage-cell-plant")
    told("storageStays/outbound/end", leaving)
    told("transport/begin", leaving)
    told("transport/truck", TRUCK)
    told("transport/end", landing)
    told("storageStays/inbound/begin", landing)
    told("storageStays/inbound/storage", "storage-system-plant")
    told("storageStays/inbound/end", arrival - timedelta(minutes=10))
    told("arrivalTest/performedAt", arrival, moment=arrival)
    told("arrivalTest/ocv", 43.79, "V", arrival)
    told("arrivalTest/temperature", 22.1, "DEG_C", arrival)
    told("arrivalTest/rest", 6.0 + AGES[key], "HR", arrival)
    for number in range(1, 13):
        cell = f"cells/cell-{number:02d}"
        low = 0.006 if (key, number) == ("module-0002", 7) else 0.0
        told(f"{cell}/voltage", 3.6492 - low, "V", arrival)
        told(f"{cell}/endOfLineOcv", 3.65, "V")
        told(f"{cell}/arrivalOcv", 3.6492 - low, "V", arrival)
        computed(f"{cell}/endOfLineSoc", 50.0 + number / 10, "PERCENT", "ocv-to-soc")
        computed(f"{cell}/stateOfCharge", 49.9 + number / 10, "PERCENT", "self-discharge-at-arrival")
        computed(f"{cell}/loss", LOSSES[key], "PERCENT", "self-discharge-at-arrival")
        computed(f"{cell}/expectedOcv", 3.6493, "V")
        computed(f"{cell}/lowerLimit", 3.6463, "V")
        computed(f"{cell}/upperLimit", 3.6523, "V")
    for share in (0.25, 0.5, 0.75, 1.0):
        moment = EOL + timedelta(hours=AGES[key] * share)
        step = Provenance(
            "computed", moment, names.run(f"self-discharge-on-schedule~{key}~{moment:%Y-%m-%dT%H:%M:%SZ}")
        )
        writer.put(twin, ("selfDischarge", "trend"), LOSSES[key] * share, "PERCENT", step)
    computed("selfDischarge/loss", LOSSES[key], "PERCENT", "self-discharge-at-arrival")
    computed("selfDischarge/equivalentAge", AGES[key] * 0.88, "HR", "self-discharge-at-arrival")
    computed("stateOfCharge", 49.85 - LOSSES[key], "PERCENT", "self-discharge-at-arrival")
    computed("arrivalTest/decision", DECISIONS[key])
    computed("arrivalTest/fixedWindowDecision", "ACCEPT")
    computed("arrivalTest/reasons", REASONS.get(key, []))
