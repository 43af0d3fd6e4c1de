from __future__ import annotations

from typing import Any

from pyoxigraph import Literal

from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.ontology.iris import RDF, VT
from voltwin.testing import Bench

from .conftest import T0


def test_a_bad_value_is_named_with_twin_path_value_and_shape(bench: Bench, truck: Any) -> None:
    fleet, names = bench.fleet, bench.fleet.names
    assert fleet.validate().conforms
    changes = ChangeSet(bench.committer.store)
    twin = names.twin("t1")
    logger = names.part(twin, "logger")
    prop = fleet.schema.property_of(fleet.schema.class_named("Storage").iri, "setPoint")
    storage = names.twin("storage-cell-plant")
    changes.put(storage, prop.iri, [Literal("warm")], storage)
    changes.put(logger, RDF.type, [VT.Element], twin)
    bench.committer.commit(Entry("t", T0, changes.changes()))
    report = fleet.validate()
    assert not report.conforms
    found = [item for item in report.violations if item.twin == "storage-cell-plant"]
    assert found
    assert {(item.path, item.value) for item in found} == {("/storage-cell-plant/setPoint", "warm")}
    assert all(item.shape and item.message for item in found)
    assert fleet.validate("storage-system-plant").conforms
    assert list(fleet.validate("storage-cell-plant").violations) == found
