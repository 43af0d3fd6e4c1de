"""The names of properties: attributes and navigable ends of one class share a name space.

    namer = PropertyNamer(scope, names)
    path_name, iri = namer.name(feature, "cells", near="id of the class", signature="xsd:double")

A path name is unique within its class; an IRI is unique in the model, except that the features of a package
tagged ``properties=flat`` share one IRI where they have one name, one range and one unit.
"""

from __future__ import annotations

from collections import defaultdict

from ..description.naming import NameRegistry, local
from ..uml import elements as uml
from .names import Names, explicit_iri
from .scope import Scope


class PropertyNamer:
    """Gives each feature its path name and IRI. Call in the order: attributes, ends, each by id."""

    def __init__(self, scope: Scope, names: Names) -> None:
        self.scope = scope
        self.names = names
        self._per_class: dict[str, NameRegistry] = defaultdict(NameRegistry)
        self._flat: dict[str, str] = {}

    def name(self, feature: uml.UmlElement, wanted: str, near: str, signature: str) -> tuple[str, str]:
        """The path name and IRI of ``feature``, a property of the class ``near``."""
        holder = self.names.classes[near]
        where = self.scope.where(near, wanted)
        path_name, _ = self._per_class[near].claim(wanted, feature.id)
        if path_name != wanted:
            self.scope.ledger.warn(
                "duplicate-name",
                feature.id,
                where,
                f"{wanted!r} stands more than once in this class; paths call this one {path_name}",
            )
        iri = explicit_iri(self.scope, feature, near)
        if iri:
            if self._share(iri, signature) or self.names.iris.reserve(iri, feature.id):
                self._flat[iri] = signature
                return path_name, iri
            self.scope.ledger.warn("duplicate-iri", feature.id, where, f"another element has the IRI {iri}")
        if holder.package.flat:
            flat = holder.package.namespace + local(path_name)
            if self._share(flat, signature) or self.names.iris.reserve(flat, feature.id):
                self._flat[flat] = signature
                return path_name, flat
            self.scope.ledger.warn(
                "flat-property",
                feature.id,
                where,
                f"{flat} has another range or unit elsewhere; this property is named with its class",
            )
        stem = f"{holder.iri}."
        _, minted = self.names.iris.claim(path_name, feature.id, lambda n: stem + local(n))
        return path_name, minted

    def _share(self, iri: str, signature: str) -> bool:
        """Whether the features of this IRI so far have the same range."""
        return self._flat.get(iri) == signature
