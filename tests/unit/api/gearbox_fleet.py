"""A small fleet that has nothing to do with batteries: gearboxes with stages, on test rigs, made of a description."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from voltwin import converter
from voltwin.assembly import create_fleet, open_fleet
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import Provenance, TwinWriter

CORE = "https://w3id.org/voltwin/core#"
START = datetime(2024, 5, 6, 7, tzinfo=UTC)
KEYS = ("gearbox-1", "gearbox-2", "gearbox-10")
RIGS = ("rig-1", "rig-2")


def framework(name: str, *parents: str) -> dict[str, Any]:
    """A class of the framework."""
    return {
        "name": name,
        "package": "framework",
        "iri": CORE + name,
        "parents": [f"framework::{parent}" for parent in parents],
    }


def quantity(name: str, unit: str | None = None, **more: Any) -> dict[str, Any]:
    """An attribute that is a number."""
    named = {"unit": unit} if unit else {}
    return {"name": name, "datatype": "xsd:double", "lower": 0, "upper": 1, **named, **more}


def series(name: str, unit: str) -> dict[str, Any]:
    """An attribute that is a series."""
    return {"name": name, "class": "framework::Series", "lower": 0, "upper": 1, "unit": unit}


def description(label: str = "serialNumber") -> dict[str, Any]:
    """The model; ``label`` is the name of one attribute."""
    text = {"datatype": "xsd:string", "lower": 0, "upper": 1}
    return {
        "format": "voltwin-description",
        "version": 1,
        "name": "Gearboxes",
        "packages": [{"name": "framework", "iri": CORE}, {"name": "drive"}],
        "classes": [
            framework("Element"),
            framework("Twin", "Element"),
            framework("Product", "Twin"),
            framework("Resource", "Twin"),
            framework("Component", "Element"),
            {**framework("Series"), "kind": "primitiveType"},
            {
                "name": "Gearbox",
                "package": "drive",
                "parents": ["framework::Product"],
                "attributes": [
                    {"name": label, **text},
                    quantity("ratio"),
                    quantity("ratedTorque", "N-M"),
                    series("oilTemperature", "DEG_C"),
                    {"name": "state", "class": "drive::State", "lower": 0, "upper": 1},
                    {"name": "remarks", "datatype": "xsd:string", "lower": 0, "upper": "*"},
                ],
            },
            {"name": "PlanetaryGearbox", "package": "drive", "parents": ["drive::Gearbox"]},
            {
                "name": "Stage",
                "package": "drive",
                "parents": ["framework::Component"],
                "attributes": [quantity("teeth"), quantity("backlash", "MilliM")],
            },
            {
                "name": "Bearing",
                "package": "drive",
                "parents": ["framework::Component"],
                "attributes": [quantity("clearance", "MilliM")],
            },
            {
                "name": "TestRig",
                "package": "drive",
                "parents": ["framework::Resource"],
                "attributes": [{"name": "place", **text}],
            },
            {
                "name": "State",
                "package": "drive",
                "kind": "enumeration",
                "literals": [{"name": "NEW"}, {"name": "RUN_IN"}],
            },
        ],
        "associations": [
            part_of("drive::Gearbox", "stages", "drive::Stage", "*"),
            part_of("drive::Stage", "bearing", "drive::Bearing", 1),
            {
                "ends": [
                    {"class": "drive::Gearbox", "navigable": False},
                    {"name": "rig", "class": "drive::TestRig", "lower": 0, "upper": 1},
                ]
            },
        ],
    }


def part_of(whole: str, name: str, part: str, upper: int | str) -> dict[str, Any]:
    """A composition."""
    return {
        "ends": [
            {"class": whole, "navigable": False, "aggregation": "composite", "lower": 1, "upper": 1},
            {"name": name, "class": part, "lower": 0, "upper": upper},
        ]
    }


def make_gearbox_fleet(folder: Path, keys: Sequence[str] = KEYS, model: dict[str, Any] | None = None) -> LocalFleet:
    """A fleet below ``folder``; the caller closes it."""
    file = folder / "gearboxes.json"
    file.write_text(json.dumps(model or description()))
    create_fleet(folder / "gearboxes", converter.convert(file), "https://gears.example/")
    fleet = open_fleet(folder / "gearboxes")
    assert isinstance(fleet, LocalFleet)
    if keys:
        _write_twins(fleet, keys)
    return fleet


def _write_twins(fleet: LocalFleet, keys: Sequence[str]) -> None:
    changes = ChangeSet(fleet.committer.store)
    writer = TwinWriter(changes, fleet.schema, fleet.names, fleet.committer.journal.series)
    classes = {name: fleet.schema.class_named(name).iri for name in ("Gearbox", "PlanetaryGearbox", "TestRig")}
    told = Provenance("asserted", START)
    for rig in RIGS:
        writer.put(writer.create_twin(rig, classes["TestRig"]), ["place"], f"Hall {rig[-1]}", None, told)
    for key in keys:
        twin = writer.create_twin(key, classes["PlanetaryGearbox" if key.endswith("2") else "Gearbox"])
        writer.put(twin, ["ratio"], 4.5, None, told)
        writer.put(twin, ["ratedTorque"], 1200.0, "N-M", told)
        if key == keys[-1]:
            continue  # this one is fresh: neither parts nor samples
        writer.put(twin, ["state"], "RUN_IN", None, told)
        writer.put(twin, ["remarks"], ["noisy <b>third</b> stage", "oil changed"], None, told)
        writer.put(twin, ["rig"], RIGS[0], None, told)
        for stage in (1, 2, 10):
            writer.put(twin, ["stages", f"stage-{stage}", "teeth"], 17.0 + stage, None, told)
        writer.put(twin, ["stages", "stage-1", "bearing", "clearance"], 0.02, "MilliM", told)
        for minute in range(90):
            moment = Provenance("asserted", START + timedelta(minutes=minute))
            writer.put(twin, ["oilTemperature"], 20.0 + minute**0.8, "DEG_C", moment)
    entry = Entry("test", START, changes.changes(), samples=tuple(changes.samples), batches=tuple(changes.batches))
    fleet.committer.commit(entry, tuple(changes.touched()))
