"""A small real fleet of the case study: journal, triple store and reasoner over the converted model, three modules.

The figures are made up for the tests. The truck's logger reports from the first to the last hour of the trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode

from voltwin import converter
from voltwin.assembly import create_fleet, open_fleet
from voltwin.graphstore.engines.registry import StoreChoice
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.ontology.naming import Naming

BASE = "https://fleet.example/"
MODEL = Path(converter.__file__).parents[1] / "ontology" / "models" / "battery_logistics.mdj"
EOL = datetime(2019, 4, 1, 6, tzinfo=UTC)
AGES = {"module-0001": 250, "module-0002": 280, "module-0003": 300}
DECISIONS = {"module-0001": "ACCEPT", "module-0002": "REJECT", "module-0003": "RETEST"}
REASONS = {"module-0002": ["LOW_OCV"], "module-0003": ["NOT_SOAKED", "HISTORY_GAP"]}
LOSSES = {"module-0001": 0.0846, "module-0002": 0.0953, "module-0003": 0.1038}
TRUCK = "truck-01"


def make_fleet(folder: Path, modules: Sequence[str] = tuple(AGES), store: StoreChoice | None = None) -> LocalFleet:
    """A fleet below ``folder``, its triples in ``store``; the caller closes it."""
    place = folder / "fleet"
    create_fleet(place, converter.convert(MODEL), BASE, store)
    fleet = open_fleet(place)
    assert isinstance(fleet, LocalFleet)
    if modules:
        _write_twins(fleet, modules)
    return fleet


def _write_twins(fleet: LocalFleet, modules: Sequence[str]) -> None:
    changes = ChangeSet(fleet.committer.store)
    writer = TwinWriter(changes, fleet.schema, fleet.names, fleet.committer.journal.series)
    module_class, truck_class = (fleet.schema.class_named(name).iri for name in ("Module", "Truck"))
    truck = writer.create_twin(TRUCK, truck_class)
    for hour, value in ((180, 20.0), (195, 5.2), (210, 6.5)):
        moment = EOL + timedelta(hours=hour)
        writer.put(truck, ("logger", "temperature"), value, "DEG_C", Provenance("asserted", moment))
    for key in modules:
        _write_module(writer, writer.create_twin(key, module_class), key, fleet.names)
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
