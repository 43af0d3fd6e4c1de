"""Descriptions as JSON text and back: deterministic bytes, checked against the published schema.

    text = dump_description(description)
    assert load_description(text) == description

Missing fields are filled in: a ``key`` from package and name, an ``iri`` by the scheme of
docs/adr/0011, a ``pathName`` from the name. Fields that have their default are not written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from functools import cache
from typing import Any, Final, TypeVar, cast

from ...errors import ModelFileError
from . import model as d
from .check import check_references, check_schema, unique
from .naming import MODELS, decapitalised, local, slug

_ALWAYS: Final = frozenset({"name", "key", "lower", "upper", "kind", "ends", "navigable", "values"})
_T = TypeVar("_T")


def _camel(name: str) -> str:
    if name == "class_key":
        return "class"
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@cache
def _layout(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    """Field name, JSON name and default of every field of a description's dataclass; required ones first."""
    found = [
        (field.name, _camel(field.name), None if field.default is MISSING else field.default) for field in fields(kind)
    ]
    order = {"name": 0, "key": 1, "path_name": 2, "iri": 3, "id": 4}
    return tuple(sorted(found, key=lambda item: order.get(item[0], 5)))


# ---- writing
def dump_description(description: d.Description) -> str:
    """The JSON text of a description: the same text for the same description."""
    return json.dumps(to_json(description), ensure_ascii=False, indent=2) + "\n"


def to_json(description: d.Description) -> dict[str, Any]:
    """A description as plain JSON values."""
    return {"format": d.FORMAT, "version": d.VERSION, **_encode(description)}


def _encode(element: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, key, default in _layout(element.__class__):
        value = getattr(element, name)
        if name not in _ALWAYS and (value == default or value == ()):
            continue
        if name == "path_name" and value == element.name:
            continue
        if name == "tags":
            found[key] = _encode_tags(value)
        elif name == "upper":
            found[key] = "*" if value is None else value
        elif isinstance(value, tuple):
            found[key] = [item if isinstance(item, str) else _encode(item) for item in value]
        else:
            found[key] = value
    return found


def _encode_tags(tags: d.Tags) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tags:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


# ---- reading
def load_description(text: str, source: str = "description") -> d.Description:
    """The description in a JSON text; ModelFileError with the place where it is not valid."""
    try:
        content = json.loads(text)
    except RecursionError as problem:
        raise ModelFileError(f"{source}: nested deeper than any description") from problem
    except ValueError as problem:
        raise ModelFileError(f"{source}: not valid JSON ({problem}); correct the text there") from problem
    return from_json(content, source)


def from_json(content: Any, source: str = "description") -> d.Description:
    """The description in parsed JSON; ModelFileError with the place where it is not valid."""
    check_schema(content, source)
    model = content.get("iri") or MODELS + slug(content["name"])
    packages = _many(content, "packages", lambda j: _package(j, model))
    spaces = {p.key: p for p in packages} | {"": d.Package(name="", key="", iri=f"{model}#")}
    classes = _many(content, "classes", lambda j: _class(j, spaces, source))
    by_key = unique(classes, source)
    associations = _many(content, "associations", lambda j: _association(j, by_key, spaces, source))
    found = _decode(
        d.Description,
        content,
        iri=model,
        packages=packages,
        classes=classes,
        associations=associations,
        generalization_sets=_many(content, "generalizationSets", lambda j: _decode(d.GeneralizationSet, j)),
        objects=_many(content, "objects", _object),
        links=_many(content, "links", lambda j: _decode(d.Link, j)),
    )
    check_references(found, source)
    return _with_datatypes(found)


def _with_datatypes(found: d.Description) -> d.Description:
    """Replace the class of each feature whose class is a simple data type by that type's XSD type."""
    simple = {c.key: c.datatype for c in found.classes if c.datatype}
    if not any(f.class_key in simple and not f.datatype for c in found.classes for f in c.attributes):
        return found
    return replace(
        found,
        classes=tuple(
            replace(
                c,
                attributes=tuple(
                    replace(f, class_key="", datatype=simple[f.class_key]) if f.class_key in simple else f
                    for f in c.attributes
                ),
            )
            for c in found.classes
        ),
    )


def _many(content: dict[str, Any], key: str, make: Callable[[dict[str, Any]], _T]) -> tuple[_T, ...]:
    return tuple(make(item) for item in content.get(key, ()))


def _decode(kind: type[_T], content: dict[str, Any], **given: Any) -> _T:
    values: dict[str, Any] = {"name": "", **given}
    for name, key, _ in _layout(cast("Any", kind)):
        if name in given or key not in content:
            continue
        value = content[key]
        if name == "tags":
            value = tuple(
                (tag, text) for tag, texts in value.items() for text in ([texts] if isinstance(texts, str) else texts)
            )
        elif name == "upper":
            value = None if value == "*" else value
        elif isinstance(value, list):
            value = tuple(value)
        values[name] = value
    return kind(**values)


def _key(content: dict[str, Any], above: str) -> str:
    given = content.get("key")
    return str(given) if given else f"{above}::{content['name']}" if above else str(content["name"])


def _package(content: dict[str, Any], model: str) -> d.Package:
    key = _key(content, "")
    default = f"{model}/{'/'.join(local(step) for step in key.split('::'))}#"
    return _decode(d.Package, content, key=key, iri=content.get("iri") or default)


def _class(content: dict[str, Any], spaces: dict[str, d.Package], source: str) -> d.Class:
    package = content.get("package", "")
    if package not in spaces:
        raise ModelFileError(
            f"{source}: the class {content['name']!r} is in the package {package!r}, which is not listed"
        )
    space = spaces[package]
    iri = content.get("iri") or space.iri + local(content["name"])
    return _decode(
        d.Class,
        content,
        key=_key(content, package),
        iri=iri,
        attributes=_many(content, "attributes", lambda j: _feature(d.Feature, j, iri, space)),
        literals=_many(
            content, "literals", lambda j: _decode(d.Literal, j, iri=j.get("iri") or f"{iri}.{local(j['name'])}")
        ),
    )


def _feature(kind: type[_T], content: dict[str, Any], holder: str, space: d.Package) -> _T:
    path_name = content.get("pathName") or content["name"]
    default = space.iri + local(path_name) if space.flat else f"{holder}.{local(path_name)}"
    navigable = content.get("navigable", True)
    return _decode(kind, content, path_name=path_name, iri=content.get("iri") or (default if navigable else ""))


def _association(
    content: dict[str, Any], classes: dict[str, d.Class], spaces: dict[str, d.Package], source: str
) -> d.Association:
    given = content["ends"]
    key = content.get("key") or content.get("name") or "--".join(end["class"] for end in given)
    ends = []
    for i, end in enumerate(given):
        near = given[1 - i]["class"] if len(given) == 2 else end["class"]
        if near not in classes or end["class"] not in classes:
            raise ModelFileError(f"{source}: the association {key!r} ends at a class that is not listed: {near!r}")
        holder = classes[near]
        filled = {"navigable": len(given) == 2, "name": "", **end}
        filled["pathName"] = end.get("pathName") or filled["name"] or decapitalised(classes[end["class"]].name)
        ends.append(_feature(d.End, filled, holder.iri, spaces[holder.package]))
    return _decode(d.Association, {"name": "", **content}, key=key, ends=tuple(ends))


def _object(content: dict[str, Any]) -> d.Object:
    package = content.get("package", "")
    return _decode(
        d.Object,
        content,
        key=_key(content, package),
        slots=_many(content, "slots", lambda j: _decode(d.ObjectSlot, j)),
    )
