"""Units, quantity kinds and alignments named by tags, checked against QUDT and the known prefixes.

>>> from voltwin.converter.terms.alignment import unit, expand
>>> unit("unit:DEG_C")
('DEG_C', '')
>>> unit("degC")[1]
"QUDT has no unit 'degC' (did you mean DEG_C?)"
>>> expand("battery:battery_68ed592a_7924_45d0_a108_94d6275d57f0")
'https://w3id.org/emmo/domain/battery#battery_68ed592a_7924_45d0_a108_94d6275d57f0'

qudt_units.csv and qudt_quantity_kinds.csv hold the local names and dimensions of QUDT's own vocabularies
(qudt/qudt-public-repo 8b9168d2, 2026-08-05, CC BY 4.0, QUDT.org). A unit is never guessed: one that QUDT does
not have stays as it was drawn, gets no triple, and is a warning.
"""

from __future__ import annotations

import csv
import difflib
import re
from functools import cache
from importlib.resources import files
from typing import Final

from pyoxigraph import NamedNode

from ...ontology.iris import PREFIXES, QUDT

CURIES: Final[dict[str, str]] = {
    **PREFIXES,
    "battery": "https://w3id.org/emmo/domain/battery#",
    "echem": "https://w3id.org/emmo/domain/electrochemistry#",
    "electrochemistry": "https://w3id.org/emmo/domain/electrochemistry#",
    "emmo": "https://w3id.org/emmo#",
    "time": "http://www.w3.org/2006/time#",
    "ssn": "http://www.w3.org/ns/ssn/",
    "saref": "https://saref.etsi.org/core/",
    "dcterms": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
    "bdf": "https://w3id.org/battery-data-alliance/ontology/battery-data-format#",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "gr": "http://purl.org/goodrelations/v1#",
    "om": "http://www.ontology-of-units-of-measure.org/resource/om-2/",
}
"""The prefixes a tag may use in a CURIE."""


@cache
def _table(name: str) -> dict[str, tuple[str, str]]:
    """Local name -> (dimension vector, the replacement where it is deprecated)."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return {row["name"]: (row["dimension"], row["replaced_by"]) for row in csv.DictReader(text.splitlines())}


def unit(tag: str) -> tuple[str, str]:
    """The local name of the QUDT unit that a tag's text means, and its problem, if there is one."""
    return _checked(tag, "qudt_units.csv", QUDT.UNIT_NS, "unit")


def quantity_kind(tag: str) -> tuple[str, str]:
    """The local name of the QUDT quantity kind that a tag's text means, and its problem, if there is one."""
    return _checked(tag, "qudt_quantity_kinds.csv", QUDT.KIND_NS, "quantity kind")


def fits(unit_name: str, kind_name: str) -> bool:
    """Whether unit and quantity kind have the same dimension (a percentage fits every ratio)."""
    measured = _table("qudt_units.csv").get(unit_name)
    kind = _table("qudt_quantity_kinds.csv").get(kind_name)
    return measured is None or kind is None or not measured[0] or not kind[0] or measured[0] == kind[0]


def _checked(tag: str, table: str, namespace: str, what: str) -> tuple[str, str]:
    name = tag.strip()
    for prefix in (namespace, namespace.replace("http:", "https:"), "unit:", "quantitykind:"):
        name = name.removeprefix(prefix)
    known = _table(table)
    row = known.get(name)
    if row is None:
        near = _nearest(name, known)
        return "", f"QUDT has no {what} {name!r}" + (f" (did you mean {near}?)" if near else "")
    if row[1]:
        instead = f"; use {row[1]}" if row[1] != "yes" else ""
        return name, f"QUDT has deprecated the {what} {name}{instead}"
    return name, ""


def _nearest(name: str, known: dict[str, tuple[str, str]]) -> str:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for candidate in known:
        if re.sub(r"[^a-z0-9]", "", candidate.lower()) == plain:
            return candidate
    return next(iter(difflib.get_close_matches(name, known, 1, 0.75)), "")


def expand(reference: str) -> str:
    """The IRI that a CURIE with a known prefix, or an absolute IRI, means; empty where it is neither."""
    text = reference.strip().strip("<>")
    prefix, colon, local = text.partition(":")
    if colon and not local.startswith("//") and prefix in CURIES:
        text = CURIES[prefix] + local
    return text if is_iri(text) else ""


def is_iri(text: str) -> bool:
    """Whether ``text`` is an absolute IRI that RDF can hold."""
    if not re.match(r"^[A-Za-z][A-Za-z0-9+.\-]*:[^\s]+$", text):
        return False
    try:
        NamedNode(text)
    except ValueError:
        return False
    prefix = text.partition(":")[0].lower()
    return "//" in text or prefix in {"urn", "tag", "doi", "did", "info", "mailto", "uuid"}
