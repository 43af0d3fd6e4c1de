"""Keys and IRIs of packages and classes, given before anything refers to them.

The scheme (docs/adr/0011): a package's namespace is ``<model>/<pkg>/<sub>#`` or its tag ``iri``; a class is
``<namespace><Class>``, a class inside a class ``<namespace><Outer>.<Inner>``; a property
``<namespace><Class>.<name>``, or ``<namespace><name>`` where the package is tagged ``properties=flat``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...ontology.iris import CORE
from ..description.naming import MODELS, NameRegistry, digest, local, slug
from ..terms.alignment import is_iri
from ..uml import elements as uml
from .scope import Scope


def tag(element: uml.UmlElement, name: str) -> str:
    """The value of the element's first tag called ``name``; empty where there is none."""
    if not element.tags:
        return ""
    return next((t.value.strip() for t in element.tags if t.name == name), "")


@dataclass(frozen=True)
class PackageName:
    """A package's key (its path), namespace, and whether its properties are flat."""

    key: str
    namespace: str
    flat: bool = False

    @property
    def provided(self) -> bool:
        """Whether this is the framework's meta model, which core.ttl and its kin declare."""
        return self.namespace == CORE


@dataclass(frozen=True)
class ClassName:
    """A class's key, IRI, its name made unique, and its package."""

    key: str
    iri: str
    name: str
    package: PackageName


@dataclass
class Names:
    """All names of a model."""

    model: str
    root: PackageName
    packages: dict[str, PackageName] = field(default_factory=dict)
    classes: dict[str, ClassName] = field(default_factory=dict)
    iris: NameRegistry = field(default_factory=NameRegistry)
    keys: NameRegistry = field(default_factory=NameRegistry)
    associations: NameRegistry = field(default_factory=NameRegistry)

    def package_of(self, scope: Scope, identifier: str) -> PackageName:
        """The innermost package around an element."""
        for above in reversed(scope.owner_path(identifier)):
            if above in self.packages:
                return self.packages[above]
        return self.root


def name_all(scope: Scope) -> Names:
    """Names for every package and class; what had to be changed is reported."""
    model = scope.model
    iri = explicit_iri(scope, model, "").rstrip("#/") or MODELS + slug(model.name)
    names = Names(iri, PackageName("", f"{iri}#"))
    names.iris.reserve(iri, model.id)
    for package in sorted(model.packages, key=lambda p: (len(scope.owner_path(p.id)), p.id)):
        _name_package(scope, names, package)
    ordered = sorted(model.classifiers, key=lambda c: (len(scope.owner_path(c.id)), c.id))
    given: dict[str, str] = {}
    for classifier in ordered:
        wanted = explicit_iri(scope, classifier, classifier.id)
        if wanted and names.iris.reserve(wanted, classifier.id):
            given[classifier.id] = wanted
        elif wanted:
            scope.ledger.warn(
                "duplicate-iri", classifier.id, scope.where(classifier.id), f"another element has the IRI {wanted}"
            )
    for classifier in ordered:
        _name_class(scope, names, classifier, given.get(classifier.id, ""))
    return names


def explicit_iri(scope: Scope, element: uml.UmlElement, identifier: str) -> str:
    """The IRI that a tag ``iri`` gives outright; empty, with a warning, where it is not one."""
    wanted = tag(element, "iri")
    if wanted and not is_iri(wanted):
        scope.ledger.warn(
            "bad-iri", element.id, scope.where(identifier), f"the tag iri={wanted!r} is no absolute IRI; not used"
        )
        return ""
    return wanted


def _name_package(scope: Scope, names: Names, package: uml.UmlPackage) -> None:
    above = names.package_of(scope, package.id)
    _, key = claim(scope, names.keys, package, "package", above.key)
    namespace = explicit_iri(scope, package, package.id)
    if namespace and not namespace.endswith(("#", "/")):
        scope.ledger.warn(
            "bad-iri", package.id, scope.where(package.id), f"the namespace {namespace} has to end in # or /; not used"
        )
        namespace = ""
    if not namespace:
        namespace = f"{names.model}/{'/'.join(local(step) for step in key.split('::'))}#"
    names.packages[package.id] = PackageName(key, namespace, flat=tag(package, "properties") == "flat")


def _name_class(scope: Scope, names: Names, classifier: uml.Classifier, iri: str) -> None:
    package = names.package_of(scope, classifier.id)
    outer = names.classes.get(classifier.owner)
    name, key = claim(scope, names.keys, classifier, classifier.kind, outer.key if outer else package.key)
    if not iri:
        stem = f"{outer.iri}." if outer else package.namespace
        _, iri = names.iris.claim(name, classifier.id, lambda n: stem + local(n))
    names.classes[classifier.id] = ClassName(key, iri, name, package)


def claim(scope: Scope, keys: NameRegistry, element: uml.UmlElement, kind: str, above: str) -> tuple[str, str]:
    """A name for ``element`` that is unique below the key ``above``, and its key."""
    wanted = " ".join(element.name.split())
    if not wanted:
        wanted = f"{kind}_{digest(element.id)}"
        scope.ledger.warn("no-name", element.id, scope.where(element.id), f"a {kind} without a name is called {wanted}")
    name, key = keys.claim(wanted, element.id, lambda n: f"{above}::{n}" if above else n)
    if name != wanted:
        scope.ledger.warn(
            "duplicate-name",
            element.id,
            scope.where(element.id),
            f"the name {wanted!r} stands more than once here; this {kind} is called {name}",
        )
    return name, key
