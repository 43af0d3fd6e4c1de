"""Keys and IRIs of packages and classes, assigned before anything refers to them.

The scheme (docs/adr/0011): a package's namespace is ``<model>/<pkg>/<sub>#`` or its tag ``iri``; a class is
``<namespace><Class>``, a class inside a class ``<namespace><Outer>.<Inner>``; a property
``<namespace><Class>.<name>``, or ``<namespace><name>`` where the package is tagged ``properties=flat``.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """A package's key (its path), its namespace, and whether its properties are named without their class."""

    key: str
    namespace: str
    flat: bool = False

    @property
    def provided(self) -> bool:
        """Whether this is the framework's meta model, declared in core.ttl, actions.ttl and rules.ttl."""
        return self.namespace == CORE


@dataclass(frozen=True)
class ClassName:
    """A class's key, IRI, its name made unique, and its package."""

    key: str
    iri: str
    name: str
    package: PackageName


class Names:
    """The names of every package and class of a model, and the IRIs in use; changed names are reported."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.packages: dict[str, PackageName] = {}
        self.classes: dict[str, ClassName] = {}
        self.iris = NameRegistry()
        self.associations = NameRegistry()
        self._keys = NameRegistry()
        model = scope.model
        self.model = self.explicit_iri(model, "").rstrip("#/") or MODELS + slug(model.name)
        self.root = PackageName("", f"{self.model}#")
        self.iris.reserve(self.model, model.id)
        for package in sorted(model.packages, key=lambda p: (len(scope.owner_path(p.id)), p.id)):
            self._name_package(package)
        ordered = sorted(model.classifiers, key=lambda c: (len(scope.owner_path(c.id)), c.id))
        explicit: dict[str, str] = {}
        for classifier in ordered:
            wanted = self.explicit_iri(classifier, classifier.id)
            if wanted and self.iris.reserve(wanted, classifier.id):
                explicit[classifier.id] = wanted
            elif wanted:
                where = scope.where(classifier.id)
                scope.report.warn("duplicate-iri", classifier.id, where, f"another element has the IRI {wanted}")
        for classifier in ordered:
            self._name_class(classifier, explicit.get(classifier.id, ""))

    def package_of(self, identifier: str) -> PackageName:
        """The innermost package around an element."""
        for above in reversed(self.scope.owner_path(identifier)):
            if above in self.packages:
                return self.packages[above]
        return self.root

    def key_of(self, identifier: str) -> str:
        """The key of a class or package, else the element's name."""
        named = self.classes.get(identifier) or self.packages.get(identifier)
        return named.key if named is not None else self.scope.name_of(identifier)

    def explicit_iri(self, element: uml.UmlElement, context: str) -> str:
        """The IRI in the element's tag ``iri``; empty, with a warning, where it is not one."""
        wanted = tag(element, "iri")
        if wanted and not is_iri(wanted):
            where = self.scope.where(context)
            self.scope.report.warn("bad-iri", element.id, where, f"the tag iri={wanted!r} is no absolute IRI; not used")
            return ""
        return wanted

    def _name_package(self, package: uml.UmlPackage) -> None:
        _, key = self._claim(package, "package", self.package_of(package.id).key)
        namespace = self.explicit_iri(package, package.id)
        if namespace and not namespace.endswith(("#", "/")):
            where = self.scope.where(package.id)
            self.scope.report.warn(
                "bad-iri", package.id, where, f"the namespace {namespace} has to end in # or /; not used"
            )
            namespace = ""
        if not namespace:
            namespace = f"{self.model}/{'/'.join(local(step) for step in key.split('::'))}#"
        self.packages[package.id] = PackageName(key, namespace, flat=tag(package, "properties") == "flat")

    def _name_class(self, classifier: uml.Classifier, iri: str) -> None:
        package = self.package_of(classifier.id)
        outer = self.classes.get(classifier.owner)
        name, key = self._claim(classifier, classifier.kind, outer.key if outer else package.key)
        if not iri:
            stem = f"{outer.iri}." if outer else package.namespace
            _, iri = self.iris.claim(name, classifier.id, lambda n: stem + local(n))
        self.classes[classifier.id] = ClassName(key, iri, name, package)

    def _claim(self, element: uml.UmlElement, kind: str, above: str) -> tuple[str, str]:
        """A name for ``element`` that is unique below the key ``above``, and its key."""
        where, warn = self.scope.where(element.id), self.scope.report.warn
        wanted = " ".join(element.name.split())
        if not wanted:
            wanted = f"{kind}_{digest(element.id)}"
            warn("no-name", element.id, where, f"a {kind} without a name is called {wanted}")
        name, key = self._keys.claim(wanted, element.id, lambda n: f"{above}::{n}" if above else n)
        if name != wanted:
            problem = f"the name {wanted!r} is used more than once here; this {kind} is called {name}"
            warn("duplicate-name", element.id, where, problem)
        return name, key
