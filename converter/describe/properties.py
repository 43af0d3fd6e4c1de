"""The names of properties: attributes and navigable ends of one class share a name space.

    path_name, iri = PropertyNamer(names).name(feature, "gears", holder="id of the class", signature="xsd:double")

A path name is unique within its class; an IRI is unique in the model, except that the features of a package
tagged ``properties=flat`` share one IRI where they have one name, one range and one unit.
"""

from __future__ import annotations

from collections import defaultdict

from ..description.naming import NameRegistry, local
from ..uml import elements as uml
from .names import Names


class PropertyNamer:
    """Assigns each feature its path name and IRI. Call in the order: attributes, ends, each by id."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._per_class: dict[str, NameRegistry] = defaultdict(NameRegistry)
        self._signatures: dict[str, str] = {}

    def name(self, feature: uml.UmlElement, wanted: str, holder: str, signature: str) -> tuple[str, str]:
        """The path name and IRI of ``feature``, a property of the class ``holder``."""
        names, warn = self._names, self._names.scope.report.warn
        class_ = names.classes[holder]
        where = names.scope.where(holder, wanted)
        path_name, _ = self._per_class[holder].claim(wanted, feature.id)
        if path_name != wanted:
            problem = f"{wanted!r} is used more than once in this class; paths call this one {path_name}"
            warn("duplicate-name", feature.id, where, problem)
        iri = names.explicit_iri(feature, holder)
        if iri:
            if self._reserve(iri, feature.id, signature):
                return path_name, iri
            warn("duplicate-iri", feature.id, where, f"another element has the IRI {iri}")
        if class_.package.flat:
            flat = class_.package.namespace + local(path_name)
            if self._reserve(flat, feature.id, signature):
                return path_name, flat
            problem = f"{flat} has another range or unit elsewhere; this property is named with its class"
            warn("flat-property", feature.id, where, problem)
        stem = f"{class_.iri}."
        _, minted = names.iris.claim(path_name, feature.id, lambda n: stem + local(n))
        return path_name, minted

    def _reserve(self, iri: str, identifier: str, signature: str) -> bool:
        """Reserve ``iri``, or share it with features of the same range and unit; False where it is in use."""
        if self._signatures.get(iri) == signature or self._names.iris.reserve(iri, identifier):
            self._signatures[iri] = signature
            return True
        return False
