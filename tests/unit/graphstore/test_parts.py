"""The smaller parts of the graph store: skolem names, bound values, series functions, formats, validation."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Literal, NamedNode, Quad, Store, Triple

from voltwin.errors import QueryError
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.journal.skolem import skolemise
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.graphstore.queries.limits import QueryLimits
from voltwin.graphstore.queries.results import choose_formats, serialise
from voltwin.graphstore.sparql.binding import bind
from voltwin.ontology.iris import RDF, VT
from voltwin.ontology.naming import Naming

NAMES = Naming("https://fleet.example/")
P, Q = NamedNode("https://x.example/p"), NamedNode("https://x.example/q")
T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
nodes = st.one_of(st.sampled_from("abcd").map(BlankNode), st.sampled_from([P, Q]))
graphs = st.sets(
    st.builds(Triple, nodes, st.sampled_from([P, Q]), st.one_of(nodes, st.sampled_from("xy").map(Literal)))
)


def shape(triples):
    dataset = Dataset(Quad(t.subject, t.predicate, t.object) for t in triples)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def skolem_names(triples):
    return {term.value for t in triples for term in (t.subject, t.object) if term.value.startswith(NAMES.skolem)}


def back(triples):
    def node(term):
        return BlankNode(term.value[-20:]) if term.value.startswith(NAMES.skolem) else term

    return [Triple(node(t.subject), t.predicate, node(t.object)) for t in triples]


@given(graphs)
def test_a_skolemised_graph_is_the_graph(triples):
    assert shape(back(skolemise(triples, NAMES.ontology_graph, NAMES))) == shape(triples)


@given(graphs, st.permutations("abcd"))
def test_skolem_names_do_not_depend_on_the_names_of_blank_nodes(triples, names):
    other = dict(zip("abcd", names, strict=True))

    def rename(term):
        return BlankNode(other[term.value]) if isinstance(term, BlankNode) else term

    renamed = [Triple(rename(t.subject), t.predicate, rename(t.object)) for t in triples]
    graph = NAMES.ontology_graph
    once, again = set(skolemise(triples, graph, NAMES)), set(skolemise(renamed, graph, NAMES))
    assert once == again
    assert not any(isinstance(term, BlankNode) for t in once for term in (t.subject, t.object))
    elsewhere = skolemise(triples, NAMES.shapes_graph, NAMES)
    assert skolem_names(once).isdisjoint(skolem_names(elsewhere))


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_bound_value_never_becomes_syntax(text):
    query = bind("ASK { VALUES ?v { $value } FILTER(?v = $value) }", {"value": Literal(text)})
    assert bool(Store().query(query))
    (row,) = Store().query(bind("SELECT ($value AS ?v) {}", {"value": Literal(text)}))
    assert row["v"] == Literal(text)


def test_a_place_without_a_value_is_a_bug():
    with pytest.raises(KeyError):
        bind("SELECT * { ?s ?p $o }", {})


@pytest.fixture
def truck(bench):
    changes = ChangeSet(bench.committer.store)
    writer = TwinWriter(changes, bench.fleet.schema, bench.fleet.names, bench.committer.journal.series)
    twin = writer.create_twin("t1", bench.fleet.schema.class_named("Truck").iri)
    for hour, value in enumerate([4.0, 2.0, 9.0]):
        writer.put(twin, ["logger", "temperature"], value, "DEG_C", Provenance("asserted", T0 + timedelta(hours=hour)))
    bench.committer.commit(Entry("t", T0, changes.changes(), tuple(changes.samples)), tuple(changes.touched()))
    return bench.fleet.names.part(bench.fleet.names.part(twin, "logger"), "temperature")


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("vtf:min(?s)", 2.0),
        ("vtf:max(?s)", 9.0),
        ("vtf:mean(?s)", 5.0),
        ("vtf:sum(?s)", 15.0),
        ("vtf:count(?s)", 3),
        ('vtf:max(?s, "2019-04-01T06:00:00Z"^^xsd:dateTime, "2019-04-01T08:00:00Z"^^xsd:dateTime)', 4.0),
        ('vtf:at(?s, "2019-04-01T07:30:00Z"^^xsd:dateTime)', 5.5),
        ('vtf:at(?s, "2019-04-01T05:00:00Z"^^xsd:dateTime)', None),
        ('vtf:count(?s, "2020-04-01T05:00:00Z"^^xsd:dateTime)', None),
        ("vtf:mean(vt:nothing)", None),
    ],
)
def test_series_functions(bench, truck, call, value):
    body = bench.fleet.query(f"SELECT ({call} AS ?v) WHERE {{ BIND({truck} AS ?s) }}").body
    (row,) = json.loads(body)["results"]["bindings"]
    assert (float(row["v"]["value"]) if row else None) == value


@pytest.mark.parametrize(
    "call", ['vtf:mean("t1")', 'vtf:at(?s, "yesterday")', 'vtf:at(?s, "2019-04-01T05:00:00"^^xsd:dateTime)']
)
def test_a_misused_function_is_unbound_and_logged(bench, truck, call, caplog):
    with caplog.at_level(logging.WARNING):
        body = bench.fleet.query(f"SELECT ({call} AS ?v) WHERE {{ BIND({truck} AS ?s) }}").body
    assert json.loads(body)["results"]["bindings"] == [{}]
    assert "vtf:" in caplog.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/sparql-results+json"),
        ("*/*", "application/sparql-results+json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.1, application/sparql-results+xml", "application/sparql-results+xml"),
        ("image/png, text/tab-separated-values;q=0.2", "text/tab-separated-values"),
        ("text/turtle, text/csv;q=0.3", "text/csv"),
    ],
)
def test_the_most_wished_format_is_given(accept, media_type):
    answer = serialise(Store().query("SELECT (1 AS ?x) {}"), choose_formats(accept), QueryLimits())
    assert answer.media_type == media_type


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "text/csv;q=high"])
def test_a_format_that_cannot_be_given_is_refused(accept):
    with pytest.raises(QueryError, match="Accept"):
        choose_formats(accept)


def test_a_bad_value_is_named_with_twin_path_value_and_shape(bench, truck):
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


def test_the_schema_is_read_from_the_graph_alone(bench):
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
