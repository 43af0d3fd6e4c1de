"""UML objects to a description: `describe`, and the account of it: `describe_with_report`.

    description = describe(read("module.mdj"))
    print(description.classes[0].key)

The order matters for names only: packages, classes, attributes, ends, objects, each by id, so that neither
the order of the file nor a move inside a diagram changes an IRI.
"""

from __future__ import annotations

from collections.abc import Callable

from ..description.model import Association, Class, Description, Feature, Literal, Package, Tags, tag_pairs
from ..description.naming import decapitalised, digest, local
from ..report import ANNOTATED, CONVERTED, Report, ReportBuilder
from ..uml import elements as uml
from ..uml.multiplicity import Bounds
from ..uml.tags import KNOWN_TAGS
from .features import bounds_of, parse_typed_name, range_iri, range_of, tagged_fields
from .names import Names, explicit_iri, name_all, tag
from .objects import describe_objects
from .properties import PropertyNamer
from .relations import Notes, associations, class_of_association, generalization_sets
from .scope import Scope, note_tags

Progress = Callable[[str, int, int], None]
"""Called now and then with what is being done, how much of it is done, and how much there is."""


def describe(model: uml.UmlModel) -> Description:
    """The description of a model."""
    return describe_with_report(model)[0]


def describe_with_report(model: uml.UmlModel, progress: Progress | None = None) -> tuple[Description, Report]:
    """The description of a model and what became of every element of it."""
    tell = progress or (lambda what, done, total: None)
    ledger = ReportBuilder()
    total = len(model.classifiers) + len(model.associations) + len(model.objects)
    tell("names", 0, total)
    scope = Scope(model, ledger)
    names = name_all(scope)
    notes = Notes(scope, names)
    namer = PropertyNamer(scope, names)
    tell("classes", 0, total)
    features = _attributes(scope, names, namer, notes)
    tell("associations", len(model.classifiers), total)
    found = tuple(sorted(associations(scope, names, namer, notes), key=lambda a: a.key))
    owns = _ends_of_association_classes(scope, names, namer, features, found)
    classes = tuple(
        sorted(
            (_class(scope, names, notes, features[c.id], c, owns.get(c.id, "")) for c in model.classifiers),
            key=lambda c: c.key,
        )
    )
    tell("objects", len(model.classifiers) + len(model.associations), total)
    objects, links = describe_objects(scope, names, notes, classes, found)
    ledger.record(model.id, CONVERTED)
    note_tags(ledger, model.tags, {"iri"})
    description = Description(
        name=model.name,
        iri=names.model,
        id=model.id,
        documentation=model.documentation,
        stereotypes=model.stereotypes,
        tags=_plain_tags(model.tags),
        constraints=tuple(notes.constraints.get(model.id, ())),
        dependencies=tuple(notes.dependencies.get(model.id, ())),
        packages=tuple(sorted((_package(scope, names, notes, p) for p in model.packages), key=lambda p: p.key)),
        classes=classes,
        associations=found,
        generalization_sets=tuple(
            sorted(generalization_sets(scope, names), key=lambda s: (s.parent, s.name, s.children))
        ),
        objects=objects,
        links=links,
    )
    tell("done", total, total)
    return description, ledger.report(model)


def _plain_tags(tags: tuple[uml.Tag, ...]) -> Tags:
    return tag_pairs((t.name, t.value) for t in tags if t.name not in KNOWN_TAGS)


def _package(scope: Scope, names: Names, notes: Notes, package: uml.UmlPackage) -> Package:
    named = names.packages[package.id]
    if named.provided:
        scope.ledger.record(package.id, CONVERTED, "provided by the framework's ontology")
    else:
        scope.ledger.record(package.id, CONVERTED)
    note_tags(scope.ledger, package.tags, {"iri", "properties"})
    return Package(
        name=package.name,
        key=named.key,
        iri=named.namespace,
        flat=named.flat,
        id=package.id,
        documentation=package.documentation,
        stereotypes=package.stereotypes,
        tags=_plain_tags(package.tags),
        constraints=tuple(notes.constraints.get(package.id, ())),
        dependencies=tuple(notes.dependencies.get(package.id, ())),
    )


def _attributes(scope: Scope, names: Names, namer: PropertyNamer, notes: Notes) -> dict[str, list[Feature]]:
    """Every class's attributes as features, in the order they were drawn."""
    found: dict[str, list[Feature]] = {}
    for classifier in scope.model.classifiers:
        named = {
            attribute.id: _attribute(scope, names, namer, notes, attribute, classifier)
            for attribute in sorted(classifier.attributes, key=lambda a: a.id)
        }
        found[classifier.id] = [named[attribute.id] for attribute in classifier.attributes]
    return found


def _attribute(
    scope: Scope, names: Names, namer: PropertyNamer, notes: Notes, drawn: uml.Attribute, holder: uml.Classifier
) -> Feature:
    ledger, near = scope.ledger, holder.id
    said = parse_typed_name(drawn.name) if not drawn.type else parse_typed_name(drawn.name)._replace(type="")
    type_ = drawn.type or uml.TypeRef(name=said.type)
    where = scope.where(near, said.name or "(no name)")
    if said.name != " ".join(drawn.name.split()):
        ledger.warn("typed-name", drawn.id, where, f"the name {drawn.name!r} is read as {said.name!r} and what follows")
    range_ = range_of(scope, names, type_, drawn.id, near, where)
    wanted = said.name
    if not wanted:
        wanted = f"attribute_{digest(drawn.id)}"
        if range_.class_id:
            wanted = decapitalised(names.classes[range_.class_id].name)
        ledger.warn("no-name", drawn.id, where, f"an attribute without a name is called {wanted}")
    path_name, iri = namer.name(drawn, wanted, near, f"{range_iri(names, range_)} {tag(drawn, 'unit')}".strip())
    bounds = bounds_of(
        ledger,
        drawn.multiplicity or said.multiplicity or None,
        drawn.id,
        where,
        unspecified=Bounds(0, None if range_.many else 1),
    )
    ledger.record(drawn.id, CONVERTED, "provided by the framework's ontology" if _provided(names, near) else "")
    return Feature(
        **tagged_fields(ledger, drawn, range_.datatype, where),
        name=drawn.name,
        path_name=path_name,
        iri=iri,
        id=drawn.id,
        documentation=drawn.documentation,
        stereotypes=drawn.stereotypes,
        constraints=tuple(notes.constraints.get(drawn.id, ())),
        dependencies=tuple(notes.dependencies.get(drawn.id, ())),
        type=range_.drawn or said.type,
        datatype=range_.datatype,
        class_key=names.classes[range_.class_id].key if range_.class_id else "",
        multiplicity=drawn.multiplicity or said.multiplicity or None,
        lower=bounds.lower,
        upper=bounds.upper,
        default=drawn.default if drawn.default is not None else said.default or None,
        derived=drawn.derived,
        read_only=drawn.read_only,
        static=drawn.static,
        ordered=drawn.ordered,
        unique=drawn.unique,
        identifier=drawn.identifier,
        visibility=drawn.visibility,
        redefines=drawn.redefines,
        composite=drawn.aggregation == "composite" and not range_.datatype,
    )


def _provided(names: Names, identifier: str) -> bool:
    return names.classes[identifier].package.provided


def _ends_of_association_classes(
    scope: Scope,
    names: Names,
    namer: PropertyNamer,
    features: dict[str, list[Feature]],
    found: tuple[Association, ...],
) -> dict[str, str]:
    """Give association classes a property to each of their ends; class id -> key of its association."""
    owns: dict[str, str] = {}
    by_id = {association.id: association for association in found}
    classes = {named.key: named for named in names.classes.values()}
    for association_id, class_id in sorted(class_of_association(scope).items()):
        association = by_id.get(association_id)
        if association is None:
            continue
        owns[class_id] = association.key
        for end in association.ends:
            role = end.name or decapitalised(classes[end.class_key].name)
            element = uml.UmlElement(id=f"{end.id}@{class_id}")
            path_name, iri = namer.name(element, role, class_id, end.datatype or classes[end.class_key].iri)
            features[class_id].append(
                Feature(
                    name=role,
                    path_name=path_name,
                    iri=iri,
                    datatype=end.datatype,
                    class_key="" if end.datatype else end.class_key,
                    lower=1,
                    upper=1,
                )
            )
    return owns


def _class(
    scope: Scope,
    names: Names,
    notes: Notes,
    features: list[Feature],
    drawn: uml.Classifier,
    association: str,
) -> Class:
    ledger, named = scope.ledger, names.classes[drawn.id]
    where = scope.where(drawn.id)
    datatype = _datatype(scope, drawn, names, where)
    provided = "provided by the framework's ontology" if named.package.provided else ""
    ledger.record(drawn.id, CONVERTED, provided)
    meant = {"disjoint", "complete"}
    extra = tagged_fields(ledger, drawn, "", where)
    note_tags(ledger, drawn.tags, KNOWN_TAGS | meant)
    extra["tags"] = tuple(t for t in extra["tags"] if t[0] not in meant)
    for key in ("unit", "quantity_kind", "minimum", "maximum", "pattern"):
        extra.pop(key, None)
    operations = []
    for operation in drawn.operations:
        operations.append(signature(scope, operation))
        ledger.record(operation.id, ANNOTATED, "an operation: kept as an annotation")
        note_tags(ledger, operation.tags)
        for parameter in operation.parameters:
            ledger.record(parameter.id, ANNOTATED, "a parameter: part of its operation's annotation")
    if drawn.kind == "enumeration" and not drawn.literals:
        ledger.warn("empty-enumeration", drawn.id, where, "it has no literals to choose from")
    return Class(
        **extra,
        name=drawn.name,
        key=named.key,
        iri=named.iri,
        id=drawn.id,
        package=named.package.key,
        kind=drawn.kind,
        documentation=drawn.documentation,
        stereotypes=drawn.stereotypes,
        constraints=tuple(notes.constraints.get(drawn.id, ())),
        dependencies=tuple(notes.dependencies.get(drawn.id, ())),
        abstract=drawn.abstract,
        leaf=drawn.leaf,
        active=drawn.active,
        parents=tuple(sorted(names.classes[p].key for p in scope.parents.get(drawn.id, ()))),
        attributes=tuple(features),
        operations=tuple(operations),
        literals=_literals(scope, names, notes, drawn),
        template_parameters=drawn.template_parameters,
        datatype=datatype,
        association=association,
    )


def _datatype(scope: Scope, drawn: uml.Classifier, names: Names, where: str) -> str:
    """The XSD type of a simple data type's values; empty for everything that has structure."""
    if drawn.kind not in ("primitiveType", "dataType"):
        return ""
    datatype = range_of(scope, names, uml.TypeRef(id=drawn.id), drawn.id, drawn.id, where).datatype
    if datatype and scope.simple.get(drawn.id) == "":
        scope.ledger.warn(
            "unresolved-type",
            drawn.id,
            where,
            f"this {drawn.kind} says nothing about its values; they are read as text",
        )
    return datatype


def _literals(scope: Scope, names: Names, notes: Notes, drawn: uml.Classifier) -> tuple[Literal, ...]:
    stem = f"{names.classes[drawn.id].iri}."
    named: dict[str, Literal] = {}
    for literal in sorted(drawn.literals, key=lambda x: x.id):
        wanted = " ".join(literal.name.split()) or f"literal_{digest(literal.id)}"
        iri = explicit_iri(scope, literal, drawn.id)
        name = wanted
        if not iri or not names.iris.reserve(iri, literal.id):
            name, iri = names.iris.claim(wanted, literal.id, lambda n: stem + local(n))
        if name != literal.name:
            scope.ledger.warn(
                "duplicate-name" if literal.name else "no-name",
                literal.id,
                scope.where(drawn.id, literal.name),
                f"a literal named {literal.name!r} is called {name}",
            )
        scope.ledger.record(literal.id, CONVERTED)
        note_tags(scope.ledger, literal.tags, {"iri"})
        named[literal.id] = Literal(
            name=name,
            iri=iri,
            id=literal.id,
            documentation=literal.documentation,
            stereotypes=literal.stereotypes,
            tags=_plain_tags(literal.tags),
            constraints=tuple(notes.constraints.get(literal.id, ())),
            dependencies=tuple(notes.dependencies.get(literal.id, ())),
        )
    return tuple(named[literal.id] for literal in drawn.literals)


def signature(scope: Scope, operation: uml.Operation) -> str:
    """An operation as UML writes it: ``voltageAt(time: DateTime): Real``."""

    def typed(parameter: uml.OperationParameter) -> str:
        name = scope.name_of(parameter.type.id) if parameter.type.id else parameter.type.name
        return name + (f"[{parameter.multiplicity}]" if parameter.multiplicity else "")

    def shown(parameter: uml.OperationParameter) -> str:
        direction = "" if parameter.direction == "in" else f"{parameter.direction} "
        default = f" = {parameter.default}" if parameter.default is not None else ""
        colon = ": " if typed(parameter) else ""
        return f"{direction}{parameter.name}{colon}{typed(parameter)}{default}"

    given = ", ".join(shown(p) for p in operation.parameters if p.direction != "return")
    back = ", ".join(filter(None, (typed(p) for p in operation.parameters if p.direction == "return")))
    marks = [word for word, on in (("static", operation.static), ("abstract", operation.abstract)) if on]
    marks += [word for word, on in (("query", operation.query),) if on]
    return f"{operation.name}({given})" + (f": {back}" if back else "") + (f" {{{', '.join(marks)}}}" if marks else "")
