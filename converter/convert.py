"""The converter's entry: a file in, its description and the report on it out.

::

    conversion = convert("model.mdj")
    Path("model.ttl").write_bytes(turtle(ontology(conversion.description), conversion.description))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ModelFileError
from .describe.builder import Progress, describe_with_report
from .description.json_format import from_json
from .description.model import Description, Named
from .gc_pause import gc_paused
from .readers.files import MAX_BYTES, Kind, ModelFile, open_model
from .readers.staruml import read_staruml
from .readers.staruml_tree import Tree
from .readers.xmi import read_xmi
from .report import CONVERTED, Report, ReportLine
from .uml import elements as uml


@dataclass(frozen=True)
class Conversion:
    """A description and the report on its conversion."""

    description: Description
    report: Report


def read(path: str | Path, *, max_bytes: int = MAX_BYTES) -> uml.UmlModel:
    """The UML of a .mdj, .mfj, .uml, .xmi or .xml file; ModelFileError where it holds none."""
    file = open_model(Path(path), max_bytes)
    if file.kind is Kind.DESCRIPTION:
        raise ModelFileError(f"{path}: a description, not a UML file; read it with convert() or load_description()")
    return _read(file, Path(path), max_bytes)


def _read(file: ModelFile, path: Path, max_bytes: int) -> uml.UmlModel:
    if file.kind is Kind.XMI:
        return read_xmi(file.text, file.name, str(path))
    tree = Tree.of(file.json, file.sieve.layout)
    if len(tree.nodes) != file.sieve.others:
        # a model element is inside a view, or under a name that one object has twice
        tree = Tree.of(open_model(path, max_bytes, sieved=False).json)
    hidden = file.sieve.others + len(file.sieve.layout) - len(tree.listed)
    if hidden:
        tree.remarks.append(
            uml.Remark(
                "duplicate-member",
                "",
                str(path),
                f"{hidden} elements are under a name that one JSON object has twice; only the last is read",
            )
        )
    return read_staruml(tree, file.name)


@gc_paused()
def convert(path: str | Path, *, progress: Progress | None = None, max_bytes: int = MAX_BYTES) -> Conversion:
    """Read and describe ``path``; a description .json is used as it is. ModelFileError where it is neither."""
    path = Path(path)
    file = open_model(path, max_bytes)
    if file.kind is Kind.DESCRIPTION:
        description = from_json(file.json, str(path))
        return Conversion(description, Report(path.name, "description", tuple(_entries(description)), ()))
    if progress is not None:
        progress("reading", 0, 1)
    description, report = describe_with_report(_read(file, path, max_bytes), progress)
    return Conversion(description, replace(report, source=path.name))


def _entries(description: Description) -> Iterator[ReportLine]:
    """The report lines of a description: all of it is converted."""

    def entries(kind: str, elements: Iterable[Named]) -> Iterator[ReportLine]:
        return (ReportLine(kind, x.id or x.iri, x.name, CONVERTED, "") for x in elements)

    yield from entries("Description", [description])
    yield from entries("Package", description.packages)
    for class_ in description.classes:
        yield from entries("Class", [class_])
        yield from entries("Attribute", class_.attributes)
        yield from entries("Literal", class_.literals)
    for association in description.associations:
        yield from entries("Association", [association])
        yield from entries("End", association.ends)
    yield from entries("GeneralizationSet", description.generalization_sets)
    yield from entries("Object", description.objects)
    yield from entries("Link", description.links)
