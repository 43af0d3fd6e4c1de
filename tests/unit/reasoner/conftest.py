"""Rules put beside those of the case study, and what the reasoner keeps of each twin."""

from __future__ import annotations

from typing import Any

import pytest
from pyoxigraph import Literal

from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.ontology.iris import RDF, VT
from voltwin.ontology.literals import EPOCH
from voltwin.testing import Bench


@pytest.fixture
def add_rule(bench: Bench) -> Any:
    """``add_rule("key", "Module", subsequent=…, …)``: states a rule in the graph; antecedents as a list."""

    def add(key: Any, cls: Any, **fields: Any) -> Any:
        names, changes = bench.fleet.names, ChangeSet(bench.committer.store)
        rule, graph = names.rule(key), names.rules_graph
        changes.add(rule, RDF.type, VT.Rule, graph)
        changes.add(rule, VT.appliesTo, bench.fleet.schema.class_named(cls).iri, graph)
        for name, value in {"transformation": "1.0", "priority": 50, **fields}.items():
            for item in value if isinstance(value, list) else [value]:
                changes.add(rule, getattr(VT, name), Literal(item), graph)
        bench.committer.commit(Entry("test", EPOCH, changes.changes()), tuple(changes.touched()))
        return rule

    return add


@pytest.fixture
def write(bench: Bench) -> Any:
    """``write(("Module", "m1", "serial", "S", None, moment), …)``: one commit."""

    def commit(*puts: Any) -> None:
        fleet = bench.fleet
        changes = ChangeSet(bench.committer.store)
        writer = TwinWriter(changes, fleet.schema, fleet.names, bench.committer.journal.series)
        for cls, key, path, value, unit, moment in puts:
            twin = writer.create_twin(key, fleet.schema.class_named(cls).iri)
            if path:
                writer.put(twin, path.split("/"), value, unit, Provenance("asserted", moment))
        entry = Entry("test", EPOCH, changes.changes(), tuple(changes.samples))
        bench.committer.commit(entry, tuple(changes.touched()))

    return commit


@pytest.fixture
def inferred(bench: Bench) -> Any:
    """Everything the reasoner keeps, by graph."""

    def read() -> Any:
        graphs: dict[Any, Any] = {}
        for quad in bench.committer.store.quads(None, None, None, None):
            if quad.graph_name.value.endswith("/inferred"):
                graphs.setdefault(quad.graph_name.value, set()).add(quad.triple)
        return graphs

    return read
