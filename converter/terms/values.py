"""Texts of slots and limits as typed RDF literals.

>>> from voltwin.converter.terms.values import literal
>>> str(literal("3", "xsd:double")), str(literal("'xi'", "xsd:string"))
('"3"^^<http://www.w3.org/2001/XMLSchema#double>', '"xi"')
>>> literal("three", "xsd:integer") is None
True
"""

from __future__ import annotations

import re
from typing import Final

from pyoxigraph import Literal

from ...ontology.iris import XSD
from .datatypes import SUPPORTED

_ZONE: Final = r"(?:Z|[+-]\d\d:\d\d)"
_DAY: Final = r"-?\d{4,9}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_CLOCK: Final = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
_LEXICAL: Final = {
    "xsd:integer": re.compile(r"[+-]?\d+"),
    "xsd:decimal": re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"),
    "xsd:double": re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?INF|NaN"),
    "xsd:boolean": re.compile(r"true|false|0|1"),
    "xsd:dateTime": re.compile(rf"{_DAY}T{_CLOCK}{_ZONE}?"),
    "xsd:date": re.compile(rf"{_DAY}{_ZONE}?"),
    "xsd:time": re.compile(rf"{_CLOCK}{_ZONE}?"),
    "xsd:anyURI": re.compile(r"\S*"),
    "xsd:string": re.compile(r".*", re.DOTALL),
}


def unquoted(text: str) -> str:
    """A value without the quotes around it."""
    plain = text.strip()
    if len(plain) >= 2 and plain[0] == plain[-1] and plain[0] in "'\"":
        return plain[1:-1]
    return text


def lexical(text: str, datatype: str) -> str | None:
    """``text`` as the lexical form of ``datatype``, None where it has none."""
    if datatype == "xsd:string":
        return unquoted(text)
    plain = unquoted(text).strip()
    if datatype == "xsd:boolean":
        plain = plain.lower()
    elif datatype == "xsd:dateTime":
        plain = re.sub(r"^(\S+) (\d\d:)", r"\1T\2", plain)
        plain = re.sub(r"T(\d\d:\d\d)(?=$|Z|[+-])", r"T\1:00", plain)
    elif datatype in ("xsd:double", "xsd:integer", "xsd:decimal"):
        plain = re.sub(r"(?<=\d)[fFdDlL]$", "", plain) if datatype != "xsd:integer" else re.sub(r"[lL]$", "", plain)
    form = _LEXICAL.get(datatype)
    return plain if form is not None and form.fullmatch(plain) else None


def fits_datatype(text: str, datatype: str) -> bool:
    """Whether ``text`` is a value of ``datatype``."""
    return lexical(text, datatype) is not None


def literal(text: str, datatype: str) -> Literal | None:
    """The typed literal, None where ``text`` is no value of ``datatype``."""
    form = lexical(text, datatype)
    if form is None:
        return None
    return Literal(form) if datatype == "xsd:string" else Literal(form, datatype=SUPPORTED.get(datatype, XSD.string))
