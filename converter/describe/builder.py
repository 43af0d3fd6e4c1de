"""UML objects to a description: `describe`, or with the report on every element `describe_with_report`.

    description = describe(read("model.mdj"))
    print(description.classes[0].key)

Packages, classes, attributes, ends and objects are named in this order, each by id, so that neither the order
of the file nor a move inside a diagram changes an IRI.
"""

from __future__ import annotations

from collections.abc import Callable

from ..description.model import Association, Description, Feature, Package
from ..description.naming import decapitalised
from ..report import CONVERTED, Report, ReportBuilder
from ..uml import elements as uml
from .classes import describe_attributes, describe_class
from .describer import PROVIDED, Describer
from .features import plain_tags
from .objects import describe_objects
from .relations import association_classes, associations, generalization_sets

Progress = Callable[[str, int, int], None]
"""Called from time to time with the current step, how much is done, and how much there is."""


def describe(model: uml.UmlModel) -> Description:
    """The description of a model."""
    return describe_with_report(model)[0]


def describe_with_report(model: uml.UmlModel, progress: Progress | None = None) -> tuple[Description, Report]:
    """The description of a model and the outcome for each of its elements."""
    notify = progress or (lambda step, done, total: None)
    report = ReportBuilder()
    total = len(model.classifiers) + len(model.associations) + len(model.objects)
    notify("names", 0, total)
    describer = Describer.of(model, report)
    notify("classes", 0, total)
    features = {classifier.id: describe_attributes(describer, classifier) for classifier in model.classifiers}
    notify("associations", len(model.classifiers), total)
    joint = association_classes(describer)
    found = tuple(sorted(associations(describer, joint), key=lambda a: a.key))
    keys = _end_properties(describer, joint, features, found)
    classes = (describe_class(describer, c, features[c.id], keys.get(c.id, "")) for c in model.classifiers)
    described = tuple(sorted(classes, key=lambda c: c.key))
    notify("objects", len(model.classifiers) + len(model.associations), total)
    objects, links = describe_objects(describer, described, found)
    report.record(model.id, CONVERTED)
    report.record_tags(model.tags, {"iri"})
    sets = sorted(generalization_sets(describer), key=lambda s: (s.parent, s.name, s.children))
    description = Description(
        **describer.shared_fields(model),
        name=model.name,
        iri=describer.names.model,
        tags=plain_tags(model.tags),
        packages=tuple(sorted((_package(describer, p) for p in model.packages), key=lambda p: p.key)),
        classes=described,
        associations=found,
        generalization_sets=tuple(sets),
        objects=objects,
        links=links,
    )
    notify("done", total, total)
    return description, report.build(model)


def _package(describer: Describer, package: uml.UmlPackage) -> Package:
    named = describer.names.packages[package.id]
    describer.report.record(package.id, CONVERTED, PROVIDED if named.provided else "")
    describer.report.record_tags(package.tags, {"iri", "properties"})
    return Package(
        **describer.shared_fields(package),
        name=package.name,
        key=named.key,
        iri=named.namespace,
        flat=named.flat,
        tags=plain_tags(package.tags),
    )


def _end_properties(
    describer: Describer, joint: dict[str, str], features: dict[str, list[Feature]], found: tuple[Association, ...]
) -> dict[str, str]:
    """Give association classes a property to each of their ends; return class id -> key of its association."""
    keys: dict[str, str] = {}
    by_id = {association.id: association for association in found}
    classes = {named.key: named for named in describer.names.classes.values()}
    for association_id, class_id in sorted(joint.items()):
        association = by_id.get(association_id)
        if association is None:
            continue
        keys[class_id] = association.key
        for end in association.ends:
            role = end.name or decapitalised(classes[end.class_key].name)
            element = uml.UmlElement(id=f"{end.id}@{class_id}")
            signature = end.datatype or classes[end.class_key].iri
            path_name, iri = describer.namer.name(element, role, class_id, signature)
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
    return keys
