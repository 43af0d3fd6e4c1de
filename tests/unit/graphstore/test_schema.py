from __future__ import annotations

from voltwin.ontology.iris import VT
from voltwin.testing import Bench


def test_the_schema_is_read_from_the_graph_alone(bench: Bench) -> None:
    schema = bench.fleet.schema
    module, decision = schema.class_named("Module"), schema.by_name["decision"][0]
    assert VT.Twin in module.ancestors
    assert decision.kind == "choice"
    assert {"ACCEPT", "REJECT"} <= set(decision.choices)
    cells = schema.property_of(module.iri, "cells")
    assert (cells.many, cells.required, cells.composition, cells.kind) == (True, 12, True, "object")
    assert schema.property_of(module.iri, "capacity").unit == "A-HR"
    assert schema.property_of(module.iri, "temperatureTrend").kind == "series"
    assert not any("genid" in iri.value for iri in schema.classes)
