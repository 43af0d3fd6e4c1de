"""Classes of a description: their attributes, literals and operations."""

from __future__ import annotations

from typing import Final

from ..description.model import Class, Feature, Literal
from ..description.naming import decapitalised, digest, local
from ..report import ANNOTATED, CONVERTED
from ..uml import elements as uml
from ..uml.multiplicity import Bounds
from ..uml.tags import KNOWN_TAGS
from .describer import PROVIDED, Describer
from .features import bounds_of, parse_typed_name, plain_tags, property_fields, range_of, tagged_fields
from .names import tag
from .scope import Scope

_CLASS_TAGS: Final = frozenset({"disjoint", "complete"})
"""Tags that say something about a class and nothing about a feature."""


def describe_attributes(describer: Describer, classifier: uml.Classifier) -> list[Feature]:
    """A class's attributes as features, named by id and returned in the order drawn."""
    named = {a.id: _attribute(describer, a, classifier) for a in sorted(classifier.attributes, key=lambda a: a.id)}
    return [named[attribute.id] for attribute in classifier.attributes]


def _attribute(describer: Describer, attribute: uml.Attribute, holder: uml.Classifier) -> Feature:
    report, names = describer.report, describer.names
    parsed = parse_typed_name(attribute.name)
    if attribute.type:
        parsed = parsed._replace(type="")
    where = describer.scope.where(holder.id, parsed.name or "(no name)")
    if parsed.name != " ".join(attribute.name.split()):
        problem = f"the name {attribute.name!r} is read as {parsed.name!r} and its type, multiplicity or default"
        report.warn("typed-name", attribute.id, where, problem)
    range_ = range_of(describer, attribute.type or uml.TypeRef(name=parsed.type), attribute.id, holder.id, where)
    class_ = names.classes[range_.class_id] if range_.class_id else None
    wanted = parsed.name
    if not wanted:
        wanted = decapitalised(class_.name) if class_ is not None else f"attribute_{digest(attribute.id)}"
        report.warn("no-name", attribute.id, where, f"an attribute without a name is called {wanted}")
    signature = f"{range_.iri(names)} {tag(attribute, 'unit')}".strip()
    path_name, iri = describer.namer.name(attribute, wanted, holder.id, signature)
    multiplicity = attribute.multiplicity or parsed.multiplicity or None
    unspecified = Bounds(0, None if range_.many else 1)
    bounds = bounds_of(report, multiplicity, attribute.id, where, default=unspecified)
    report.record(attribute.id, CONVERTED, PROVIDED if names.classes[holder.id].package.provided else "")
    return Feature(
        **tagged_fields(report, attribute, range_.datatype, where),
        **property_fields(describer, attribute),
        name=attribute.name,
        path_name=path_name,
        iri=iri,
        type=range_.text or parsed.type,
        datatype=range_.datatype,
        class_key=class_.key if class_ is not None else "",
        multiplicity=multiplicity,
        lower=bounds.lower,
        upper=bounds.upper,
        default=attribute.default if attribute.default is not None else parsed.default or None,
        static=attribute.static,
        redefines=attribute.redefines,
        composite=attribute.aggregation == "composite" and not range_.datatype,
    )


def describe_class(
    describer: Describer, classifier: uml.Classifier, features: list[Feature], association: str
) -> Class:
    """A class with its features; ``association``: the key of its association, if it is an association class."""
    report, named = describer.report, describer.names.classes[classifier.id]
    where = describer.scope.where(classifier.id)
    datatype = _datatype(describer, classifier, where)
    report.record(classifier.id, CONVERTED, PROVIDED if named.package.provided else "")
    tagged = tagged_fields(report, classifier, "", where)
    report.record_tags(classifier.tags, KNOWN_TAGS | _CLASS_TAGS)
    for operation in classifier.operations:
        report.record(operation.id, ANNOTATED, "an operation: kept as an annotation")
        report.record_tags(operation.tags)
        for parameter in operation.parameters:
            report.record(parameter.id, ANNOTATED, "a parameter: part of its operation's annotation")
    if classifier.kind == "enumeration" and not classifier.literals:
        report.warn("empty-enumeration", classifier.id, where, "it has no literals to choose from")
    return Class(
        **describer.shared_fields(classifier),
        name=classifier.name,
        key=named.key,
        iri=named.iri,
        package=named.package.key,
        kind=classifier.kind,
        tags=tuple(t for t in tagged["tags"] if t[0] not in _CLASS_TAGS),
        exact_match=tagged.get("exact_match", ()),
        close_match=tagged.get("close_match", ()),
        abstract=classifier.abstract,
        leaf=classifier.leaf,
        active=classifier.active,
        parents=tuple(
            sorted(describer.names.classes[p].key for p in describer.inheritance.parents.get(classifier.id, ()))
        ),
        attributes=tuple(features),
        operations=tuple(signature(describer.scope, operation) for operation in classifier.operations),
        literals=_literals(describer, classifier),
        template_parameters=classifier.template_parameters,
        datatype=datatype,
        association=association,
    )


def _datatype(describer: Describer, classifier: uml.Classifier, where: str) -> str:
    """The XSD type of a simple data type's values; empty for everything that has structure."""
    if classifier.kind not in ("primitiveType", "dataType"):
        return ""
    datatype = range_of(describer, uml.TypeRef(id=classifier.id), classifier.id, classifier.id, where).datatype
    if datatype and describer.inheritance.simple.get(classifier.id) == "":
        problem = f"this {classifier.kind} says nothing about its values; they are read as text"
        describer.report.warn("unresolved-type", classifier.id, where, problem)
    return datatype


def _literals(describer: Describer, classifier: uml.Classifier) -> tuple[Literal, ...]:
    names, report = describer.names, describer.report
    stem = f"{names.classes[classifier.id].iri}."
    named: dict[str, Literal] = {}
    for literal in sorted(classifier.literals, key=lambda x: x.id):
        name = " ".join(literal.name.split()) or f"literal_{digest(literal.id)}"
        iri = names.explicit_iri(literal, classifier.id)
        if not iri or not names.iris.reserve(iri, literal.id):
            name, iri = names.iris.claim(name, literal.id, lambda n: stem + local(n))
        if name != literal.name:
            code = "duplicate-name" if literal.name else "no-name"
            where = describer.scope.where(classifier.id, literal.name)
            report.warn(code, literal.id, where, f"a literal named {literal.name!r} is called {name}")
        report.record(literal.id, CONVERTED)
        report.record_tags(literal.tags, {"iri"})
        fields = describer.shared_fields(literal)
        named[literal.id] = Literal(**fields, name=name, iri=iri, tags=plain_tags(literal.tags))
    return tuple(named[literal.id] for literal in classifier.literals)


def signature(scope: Scope, operation: uml.Operation) -> str:
    """An operation as UML writes it: ``voltageAt(time: DateTime): Real``."""

    def typed(parameter: uml.OperationParameter) -> str:
        name = scope.type_name(parameter.type)
        return name + (f"[{parameter.multiplicity}]" if parameter.multiplicity else "")

    def shown(parameter: uml.OperationParameter) -> str:
        direction = "" if parameter.direction == "in" else f"{parameter.direction} "
        default = f" = {parameter.default}" if parameter.default is not None else ""
        colon = ": " if typed(parameter) else ""
        return f"{direction}{parameter.name}{colon}{typed(parameter)}{default}"

    parameters = ", ".join(shown(p) for p in operation.parameters if p.direction != "return")
    returned = ", ".join(filter(None, (typed(p) for p in operation.parameters if p.direction == "return")))
    flags = (("static", operation.static), ("abstract", operation.abstract), ("query", operation.query))
    marks = ", ".join(word for word, on in flags if on)
    return (
        f"{operation.name}({parameters})" + (f": {returned}" if returned else "") + (f" {{{marks}}}" if marks else "")
    )
