"""Python values as RDF literals and back, in one place, so that a time or a number is written one way.

>>> from datetime import UTC, datetime
>>> from voltwin.ontology.literals import to_literal, to_python
>>> to_literal(datetime(2019, 6, 1, tzinfo=UTC)).value
'2019-06-01T00:00:00Z'
>>> to_python(to_literal(3.65))
3.65
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from types import UnionType
from typing import Final

from pyoxigraph import Literal, NamedNode

from ..errors import InputError
from .iris import XSD

Scalar = bool | int | float | str | datetime | date

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FLOATS: Final = frozenset({XSD.double, XSD.decimal, NamedNode(XSD.NS + "float")})
_FITS: Final[Mapping[NamedNode, type | UnionType]] = {
    XSD.string: str,
    XSD.boolean: bool | str,
    XSD.dateTime: datetime | str,
    XSD.date: date | str,
    **dict.fromkeys((XSD.integer, XSD.nonNegativeInteger, *_FLOATS), int | float | str),
}
"""The Python types that a literal of a datatype can be made from."""


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with ``Z``; a fraction only where it is not zero."""
    if moment.tzinfo is None:
        raise InputError(f"time {moment.isoformat()}: has no zone; give one, for example …Z")
    text = moment.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


def parse_time(text: str) -> datetime:
    """An RFC 3339 / ISO 8601 time with a zone, as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"time {text!r}: not ISO 8601; write it like 2019-06-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise InputError(f"time {text!r}: has no zone; add Z or an offset such as +02:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InputError(f"time {text!r}: lies outside the years 1 to 9999 in UTC") from None


def to_microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC."""
    if moment.tzinfo is None:
        raise InputError(f"time {moment.isoformat()}: has no zone; give one, for example …Z")
    return (moment - EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The moment that is ``value`` microseconds after 1970-01-01 UTC."""
    return EPOCH + timedelta(microseconds=value)


def to_literal(value: Scalar, datatype: NamedNode | None = None) -> Literal:
    """``value`` as a literal of ``datatype`` (by default the one that fits its Python type).

    Raises InputError where the value is not in the datatype's value space.
    """
    if datatype is not None and not isinstance(value, _FITS.get(datatype, object)):
        raise _misfit(value, datatype)
    if isinstance(value, datetime):
        return Literal(format_time(value), datatype=XSD.dateTime)
    if isinstance(value, date):
        return Literal(value.isoformat(), datatype=XSD.date)
    if datatype is None or datatype == XSD.string:
        return Literal(value)
    if datatype == XSD.boolean:
        return _boolean(value)
    if datatype in (XSD.integer, XSD.nonNegativeInteger):
        return _integer(value, datatype)
    if datatype in _FLOATS:
        return _float(value, datatype)
    if datatype == XSD.dateTime:
        return Literal(format_time(parse_time(str(value))), datatype=XSD.dateTime)
    if datatype == XSD.date:
        return Literal(_date(str(value)).isoformat(), datatype=XSD.date)
    return Literal(str(value), datatype=datatype)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"date {text!r}: not ISO 8601; write it like 2019-06-01") from None


def _boolean(value: Scalar) -> Literal:
    if isinstance(value, bool):
        return Literal(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return Literal(value.strip().lower() == "true")
    raise _misfit(value, XSD.boolean)


def _integer(value: Scalar, datatype: NamedNode) -> Literal:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise _misfit(value, datatype)
    try:
        number = int(value)  # type: ignore[arg-type]  # dates were refused above
        text = str(number)
    except ValueError:
        raise _misfit(value, datatype) from None
    if datatype == XSD.nonNegativeInteger and number < 0:
        raise _misfit(value, datatype)
    return Literal(text, datatype=datatype)


def _float(value: Scalar, datatype: NamedNode) -> Literal:
    if isinstance(value, bool):
        raise _misfit(value, datatype)
    try:
        number = float(value)  # type: ignore[arg-type]  # dates were refused above
    except (ValueError, OverflowError):
        raise _misfit(value, datatype) from None
    if not math.isfinite(number):
        raise InputError(f"value {value!r}: not a finite number; leave the value out instead")
    return Literal(number) if datatype == XSD.double else Literal(repr(number), datatype=datatype)


def _misfit(value: Scalar, datatype: NamedNode) -> InputError:
    return InputError(f"value {value!r}: not of type {datatype.value.rpartition('#')[2]}")


def to_python(literal: Literal) -> Scalar:
    """A literal as the Python value of its datatype; text for unknown datatypes."""
    datatype = literal.datatype
    if datatype == XSD.boolean:
        return literal.value in ("true", "1")
    if datatype == XSD.dateTime:
        # A dateTime without a zone is legal RDF; it is shown unchanged, without a guessed zone.
        try:
            return parse_time(literal.value)
        except InputError:
            return literal.value
    # A literal outside its datatype's value space is legal RDF too.
    with suppress(ValueError):
        if datatype in _FLOATS:
            return float(literal.value)
        if datatype in (XSD.integer, XSD.nonNegativeInteger):
            return int(literal.value)
        if datatype == XSD.date:
            return date.fromisoformat(literal.value)
    return literal.value
