"""Checks of a description beyond its types: the published schema, keys that exist, IRIs that are valid.

::

    check_schema(json.loads(text), "model.json")
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from ...errors import ModelFileError
from ..terms.alignment import is_iri
from . import model as d


@cache
def schema() -> dict[str, Any]:
    """The published JSON Schema (2020-12) of the format."""
    text = files("voltwin.ontology").joinpath("description.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def check_schema(content: Any, source: str) -> None:
    """Check ``content`` against the schema; ModelFileError with the first place where it does not fit."""
    from jsonschema import Draft202012Validator  # a tenth of a second that other commands need not wait

    problems = sorted(Draft202012Validator(schema()).iter_errors(content), key=lambda e: list(map(str, e.path)))
    for worst in problems[:1]:
        place = "/".join(str(step) for step in worst.absolute_path) or "(root)"
        raise ModelFileError(
            f"{source}: at {place}: {worst.message[:300]}; see ontology/description.schema.json for what is expected"
        )


def unique(classes: Iterable[d.Class], source: str) -> dict[str, d.Class]:
    """The classes by key; ModelFileError where two have the same."""
    found: dict[str, d.Class] = {}
    for class_ in classes:
        if class_.key in found:
            raise ModelFileError(f"{source}: two classes have the key {class_.key!r}; give one of them another key")
        found[class_.key] = class_
    return found


def check_references(found: d.Description, source: str) -> None:
    """Check keys and IRIs; ModelFileError where a key is not listed or an IRI is not absolute."""
    classes = {c.key for c in found.classes}
    objects = {o.key for o in found.objects}
    associations = {a.key for a in found.associations}
    wanted = [(c.key, "parent", p, classes) for c in found.classes for p in c.parents]
    wanted += [(c.key, "class", f.class_key, classes) for c in found.classes for f in c.attributes if f.class_key]
    wanted += [(s.parent, "class", k, classes) for s in found.generalization_sets for k in (s.parent, *s.children)]
    wanted += [(o.key, "class", k, classes) for o in found.objects for k in o.classes]
    wanted += [("a link", "object", k, objects) for x in found.links for k in x.objects]
    wanted += [("a link", "association", x.association, associations) for x in found.links if x.association]
    for where, what, key, known in wanted:
        if key not in known:
            raise ModelFileError(f"{source}: {where} refers to the {what} {key!r}, which is not listed")
    binary = {a.key for a in found.associations if len(a.ends) == 2}
    for link in found.links:
        if link.association and (link.association not in binary or len(link.objects) != 2):
            raise ModelFileError(
                f"{source}: a link of {', '.join(link.objects)} names the association {link.association!r}; "
                "only a link of two objects can name an association, and only one with two ends"
            )
    features = [f for c in found.classes for f in c.attributes] + [e for a in found.associations for e in a.ends]
    literals = [x for c in found.classes for x in c.literals]
    for element in (found, *found.packages, *found.classes, *features, *literals, *found.objects):
        for iri in (element.iri, *getattr(element, "exact_match", ()), *getattr(element, "close_match", ())):
            if iri and not is_iri(iri):
                raise ModelFileError(f"{source}: {element.name!r} has the IRI {iri!r}, which is no absolute IRI")
