"""The vocabulary as typed constants: no other module writes an IRI by hand.

>>> from voltwin.ontology.iris import VT, RDF
>>> str(VT.Twin)
'<https://w3id.org/voltwin/core#Twin>'
>>> VT.hasPart.value
'https://w3id.org/voltwin/core#hasPart'

Each class below is one namespace; its members are the terms that voltwin uses, and only those
(tests/unit/test_iris.py holds the ``VT`` members against core.ttl, actions.ttl and rules.ttl).
"""

from __future__ import annotations

from typing import Final

from pyoxigraph import NamedNode

CORE: Final = "https://w3id.org/voltwin/core#"
FUNCTION: Final = "https://w3id.org/voltwin/function#"


def _core(name: str) -> NamedNode:
    return NamedNode(CORE + name)


class VT:
    """voltwin's own terms: core.ttl, actions.ttl, rules.ttl."""

    # elements
    Element: Final = _core("Element")
    Twin: Final = _core("Twin")
    Product: Final = _core("Product")
    Resource: Final = _core("Resource")
    Stakeholder: Final = _core("Stakeholder")
    Component: Final = _core("Component")
    DataSource: Final = _core("DataSource")
    Process: Final = _core("Process")
    Series: Final = _core("Series")
    hasPart: Final = _core("hasPart")
    partOf: Final = _core("partOf")
    key: Final = _core("key")
    # annotations of a property besides OWL, so that paths can be compiled from the graph alone
    pathName: Final = _core("pathName")
    lower: Final = _core("lower")
    upper: Final = _core("upper")
    defaultValue: Final = _core("defaultValue")
    readOnly: Final = _core("readOnly")
    derived: Final = _core("derived")
    identifier: Final = _core("identifier")
    stereotype: Final = _core("stereotype")
    tag: Final = _core("tag")
    operation: Final = _core("operation")
    constraint: Final = _core("constraint")
    # series nodes
    firstTime: Final = _core("firstTime")
    lastTime: Final = _core("lastTime")
    lastValue: Final = _core("lastValue")
    sampleCount: Final = _core("sampleCount")
    # actions
    Action: Final = _core("Action")
    PushAction: Final = _core("PushAction")
    PullAction: Final = _core("PullAction")
    ModelAction: Final = _core("ModelAction")
    Schedule: Final = _core("Schedule")
    RelativeSchedule: Final = _core("RelativeSchedule")
    AbsoluteSchedule: Final = _core("AbsoluteSchedule")
    Handler: Final = _core("Handler")
    appliesTo: Final = _core("appliesTo")
    input: Final = _core("input")
    output: Final = _core("output")
    parameter: Final = _core("parameter")
    handler: Final = _core("handler")
    schedule: Final = _core("schedule")
    consecutive: Final = _core("consecutive")
    channel: Final = _core("channel")
    topic: Final = _core("topic")
    messageSchema: Final = _core("messageSchema")
    endpoint: Final = _core("endpoint")
    model: Final = _core("model")
    times: Final = _core("times")
    period: Final = _core("period")
    anchor: Final = _core("anchor")
    at: Final = _core("at")
    entryPoint: Final = _core("entryPoint")
    # rules
    Rule: Final = _core("Rule")
    subsequent: Final = _core("subsequent")
    antecedent: Final = _core("antecedent")
    transformation: Final = _core("transformation")
    each: Final = _core("each")
    intervalStart: Final = _core("intervalStart")
    intervalEnd: Final = _core("intervalEnd")
    priority: Final = _core("priority")
    # results of rules and models
    Candidate: Final = _core("Candidate")
    about: Final = _core("about")
    property: Final = _core("property")
    value: Final = _core("value")
    rule: Final = _core("rule")
    validFrom: Final = _core("validFrom")
    validTo: Final = _core("validTo")
    # runs and dead letters
    Run: Final = _core("Run")
    twin: Final = _core("twin")
    status: Final = _core("status")
    reason: Final = _core("reason")
    DeadLetter: Final = _core("DeadLetter")
    payload: Final = _core("payload")
    # the store's own state
    appliedSequence: Final = _core("appliedSequence")


class RDF:
    """RDF."""

    NS: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    type: Final = NamedNode(NS + "type")
    first: Final = NamedNode(NS + "first")
    rest: Final = NamedNode(NS + "rest")
    nil: Final = NamedNode(NS + "nil")


class RDFS:
    """RDF Schema."""

    NS: Final = "http://www.w3.org/2000/01/rdf-schema#"
    label: Final = NamedNode(NS + "label")
    comment: Final = NamedNode(NS + "comment")
    subClassOf: Final = NamedNode(NS + "subClassOf")
    subPropertyOf: Final = NamedNode(NS + "subPropertyOf")
    domain: Final = NamedNode(NS + "domain")
    range: Final = NamedNode(NS + "range")
    isDefinedBy: Final = NamedNode(NS + "isDefinedBy")
    seeAlso: Final = NamedNode(NS + "seeAlso")


class OWL:
    """OWL 2."""

    NS: Final = "http://www.w3.org/2002/07/owl#"
    Ontology: Final = NamedNode(NS + "Ontology")
    Class: Final = NamedNode(NS + "Class")
    Restriction: Final = NamedNode(NS + "Restriction")
    ObjectProperty: Final = NamedNode(NS + "ObjectProperty")
    DatatypeProperty: Final = NamedNode(NS + "DatatypeProperty")
    AnnotationProperty: Final = NamedNode(NS + "AnnotationProperty")
    FunctionalProperty: Final = NamedNode(NS + "FunctionalProperty")
    NamedIndividual: Final = NamedNode(NS + "NamedIndividual")
    AllDifferent: Final = NamedNode(NS + "AllDifferent")
    AllDisjointClasses: Final = NamedNode(NS + "AllDisjointClasses")
    equivalentClass: Final = NamedNode(NS + "equivalentClass")
    inverseOf: Final = NamedNode(NS + "inverseOf")
    unionOf: Final = NamedNode(NS + "unionOf")
    oneOf: Final = NamedNode(NS + "oneOf")
    members: Final = NamedNode(NS + "members")
    distinctMembers: Final = NamedNode(NS + "distinctMembers")
    onProperty: Final = NamedNode(NS + "onProperty")
    someValuesFrom: Final = NamedNode(NS + "someValuesFrom")
    imports: Final = NamedNode(NS + "imports")
    versionInfo: Final = NamedNode(NS + "versionInfo")


class XSD:
    """XML Schema datatypes."""

    NS: Final = "http://www.w3.org/2001/XMLSchema#"
    string: Final = NamedNode(NS + "string")
    boolean: Final = NamedNode(NS + "boolean")
    integer: Final = NamedNode(NS + "integer")
    decimal: Final = NamedNode(NS + "decimal")
    double: Final = NamedNode(NS + "double")
    dateTime: Final = NamedNode(NS + "dateTime")
    date: Final = NamedNode(NS + "date")
    time: Final = NamedNode(NS + "time")
    anyURI: Final = NamedNode(NS + "anyURI")
    nonNegativeInteger: Final = NamedNode(NS + "nonNegativeInteger")


class SH:
    """SHACL."""

    NS: Final = "http://www.w3.org/ns/shacl#"
    NodeShape: Final = NamedNode(NS + "NodeShape")
    PropertyShape: Final = NamedNode(NS + "PropertyShape")
    targetClass: Final = NamedNode(NS + "targetClass")
    property: Final = NamedNode(NS + "property")
    path: Final = NamedNode(NS + "path")
    name: Final = NamedNode(NS + "name")
    datatype: Final = NamedNode(NS + "datatype")
    class_: Final = NamedNode(NS + "class")
    nodeKind: Final = NamedNode(NS + "nodeKind")
    IRI: Final = NamedNode(NS + "IRI")
    minCount: Final = NamedNode(NS + "minCount")
    maxCount: Final = NamedNode(NS + "maxCount")
    minInclusive: Final = NamedNode(NS + "minInclusive")
    maxInclusive: Final = NamedNode(NS + "maxInclusive")
    in_: Final = NamedNode(NS + "in")
    message: Final = NamedNode(NS + "message")


class SOSA:
    """SOSA observations."""

    NS: Final = "http://www.w3.org/ns/sosa/"
    Observation: Final = NamedNode(NS + "Observation")
    hasFeatureOfInterest: Final = NamedNode(NS + "hasFeatureOfInterest")
    observedProperty: Final = NamedNode(NS + "observedProperty")
    hasSimpleResult: Final = NamedNode(NS + "hasSimpleResult")
    resultTime: Final = NamedNode(NS + "resultTime")


class PROV:
    """PROV-O."""

    NS: Final = "http://www.w3.org/ns/prov#"
    Activity: Final = NamedNode(NS + "Activity")
    wasGeneratedBy: Final = NamedNode(NS + "wasGeneratedBy")
    wasAssociatedWith: Final = NamedNode(NS + "wasAssociatedWith")
    wasInformedBy: Final = NamedNode(NS + "wasInformedBy")
    used: Final = NamedNode(NS + "used")
    startedAtTime: Final = NamedNode(NS + "startedAtTime")


class QUDT:
    """QUDT."""

    NS: Final = "http://qudt.org/schema/qudt/"
    UNIT_NS: Final = "http://qudt.org/vocab/unit/"
    KIND_NS: Final = "http://qudt.org/vocab/quantitykind/"
    hasUnit: Final = NamedNode(NS + "hasUnit")
    hasQuantityKind: Final = NamedNode(NS + "hasQuantityKind")


class SKOS:
    """SKOS mappings."""

    NS: Final = "http://www.w3.org/2004/02/skos/core#"
    exactMatch: Final = NamedNode(NS + "exactMatch")
    closeMatch: Final = NamedNode(NS + "closeMatch")


PREFIXES: Final[dict[str, str]] = {
    "vt": CORE,
    "vtf": FUNCTION,
    "rdf": RDF.NS,
    "rdfs": RDFS.NS,
    "owl": OWL.NS,
    "xsd": XSD.NS,
    "sh": SH.NS,
    "sosa": SOSA.NS,
    "prov": PROV.NS,
    "qudt": QUDT.NS,
    "unit": QUDT.UNIT_NS,
    "quantitykind": QUDT.KIND_NS,
    "skos": SKOS.NS,
}
