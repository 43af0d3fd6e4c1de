"""StarUML projects made in a test: ``uml.project(uml.cls("Cell", uml.attr("voltage", "Real")))``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voltwin.converter import Conversion, convert
from voltwin.converter.description.model import Class, End, Feature
from voltwin.ontology.naming import Naming

Json = dict[str, Any]
Convert = Callable[[Json], Conversion]
NAMES = Naming("https://fleet.example/")


def cls(conversion: Conversion, name: str) -> Class:
    return next(c for c in conversion.description.classes if c.name == name)


def feature(conversion: Conversion, holder: str, name: str) -> Feature:
    return next(f for f in cls(conversion, holder).attributes if f.path_name == name)


def ends(conversion: Conversion) -> dict[str, End]:
    return {end.path_name: end for a in conversion.description.associations for end in a.ends}


def codes(conversion: Conversion) -> list[str]:
    return [warning.code for warning in conversion.report.warnings]


class Maker:
    """Makes typed objects with ids that grow, as StarUML does; parents are set by `project`."""

    def __init__(self) -> None:
        self.count = 0

    def make(self, what: str, name: str | None = None, /, **fields: Any) -> Json:
        self.count += 1
        found: Json = {"_type": what, "_id": f"AAAA{self.count:06d}="}
        if name is not None:
            found["name"] = name
        return found | {k: v for k, v in fields.items() if v is not None}

    def ref(self, target: Json | None) -> Json | None:
        return None if target is None else {"$ref": target["_id"]}

    def tags(self, **values: str) -> list[Json]:
        return [self.make("Tag", name, kind="string", value=value) for name, value in values.items()]

    def attr(self, name: str, type: Any = None, multiplicity: str | None = None, **fields: Any) -> Json:
        type = self.ref(type) if isinstance(type, dict) else type
        return self.make("UMLAttribute", name, type=type, multiplicity=multiplicity, **fields)

    def cls(self, name: str, *attributes: Json, kind: str = "UMLClass", **fields: Any) -> Json:
        return self.make(kind, name, attributes=list(attributes), **fields)

    def enum(self, name: str, *literals: str) -> Json:
        return self.make(
            "UMLEnumeration", name, literals=[self.make("UMLEnumerationLiteral", text) for text in literals]
        )

    def gen(self, child: Json, parent: Json, **fields: Any) -> Json:
        return self.make("UMLGeneralization", source=self.ref(child), target=self.ref(parent), **fields)

    def end(self, target: Json, name: str | None = None, multiplicity: str | None = None, **fields: Any) -> Json:
        return self.make("UMLAssociationEnd", name, reference=self.ref(target), multiplicity=multiplicity, **fields)

    def assoc(self, end1: Json, end2: Json, name: str | None = None, **fields: Any) -> Json:
        return self.make("UMLAssociation", name, end1=end1, end2=end2, **fields)

    def slot(self, name: str, value: str | None = None, feature: Json | None = None) -> Json:
        return self.make("UMLSlot", name, value=value, definingFeature=self.ref(feature))

    def obj(self, name: str, classifier: Any = None, *slots: Json, **fields: Any) -> Json:
        classifier = self.ref(classifier) if isinstance(classifier, dict) else classifier
        return self.make("UMLObject", name, classifier=classifier, slots=list(slots), **fields)

    def link(
        self, first: Json, second: Json, role1: str | None = None, role2: str | None = None, **fields: Any
    ) -> Json:
        return self.make(
            "UMLLink",
            end1=self.make("UMLLinkEnd", role1, reference=self.ref(first)),
            end2=self.make("UMLLinkEnd", role2, reference=self.ref(second)),
            **fields,
        )

    def pkg(self, name: str, *owned: Json, **fields: Any) -> Json:
        return self.make("UMLPackage", name, ownedElements=list(owned), **fields)

    def project(self, *owned: Json, name: str = "Test", tags: list[Json] | None = None) -> Json:
        model = self.make("UMLModel", "Model", ownedElements=list(owned), tags=tags)
        return self.make("Project", name, ownedElements=[model])


@pytest.fixture
def uml() -> Maker:
    return Maker()


@pytest.fixture
def converted(tmp_path: Path) -> Callable[[Json], Conversion]:
    def run(project: Json, name: str = "test.mdj") -> Conversion:
        path = tmp_path / name
        path.write_text(json.dumps(project), encoding="utf-8")
        return convert(path)

    return run
