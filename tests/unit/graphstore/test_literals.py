"""Python values as literals and back: one way to write each, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal

from voltwin.errors import InputError
from voltwin.ontology.iris import XSD
from voltwin.ontology.literals import (
    from_microseconds,
    parse_time,
    to_literal,
    to_microseconds,
    to_python,
)

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes with it
texts = st.text(st.characters(exclude_categories=("Cs",)))


@given(st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts, moments))
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert to_python(to_literal(value)) == value
    assert type(to_python(to_literal(value))) is type(value)


@given(moments)
def test_microseconds_are_exact(moment: Any) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment


@given(moments, st.integers(-14, 14))
def test_one_moment_has_one_literal(moment: Any, offset: Any) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=offset))) if 1 < moment.year < 9999 else moment
    assert to_literal(elsewhere) == to_literal(moment)


@pytest.mark.parametrize(
    ("value", "datatype"),
    [
        (True, XSD.double),
        ("high", XSD.double),
        (float("nan"), XSD.double),
        (float("inf"), XSD.double),
        (10**400, XSD.double),
        (datetime(2019, 4, 1, tzinfo=UTC), XSD.double),
        (1.5, XSD.integer),
        (float("inf"), XSD.integer),
        (True, XSD.integer),
        (-1, XSD.nonNegativeInteger),
        ("yes", XSD.boolean),
        (1, XSD.boolean),
        (12, XSD.string),
        (datetime(2019, 4, 1, tzinfo=UTC), XSD.string),
        (5, XSD.dateTime),
        (True, XSD.dateTime),
        ("yesterday", XSD.dateTime),
        ("2019-04-01T00:00:00", XSD.dateTime),
        ("0001-01-01T00:00:00+14:00", XSD.dateTime),
        ("2019-04-31", XSD.date),
        (20190401, XSD.date),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(value: Any, datatype: Any) -> None:
    with pytest.raises(InputError):
        to_literal(value, datatype)


@pytest.mark.parametrize(
    ("value", "datatype", "text"),
    [
        (3, XSD.double, 3.0),
        ("3.5", XSD.double, 3.5),
        (4.0, XSD.integer, 4),
        ("TRUE", XSD.boolean, True),
        ("2019-04-01T02:00:00+02:00", XSD.dateTime, datetime(2019, 4, 1, tzinfo=UTC)),
        ("2019-04-01", XSD.date, date(2019, 4, 1)),
    ],
)
def test_what_means_the_same_is_taken(value: Any, datatype: Any, text: Any) -> None:
    literal = to_literal(value, datatype)
    assert literal.datatype == datatype
    assert to_python(literal) == text


@pytest.mark.parametrize("datatype", [XSD.integer, XSD.double, XSD.date, XSD.dateTime])
def test_a_literal_outside_its_value_space_is_shown_as_it_stands(datatype: Any) -> None:
    assert to_python(Literal("later", datatype=datatype)) == "later"


def test_times_need_a_zone() -> None:
    with pytest.raises(InputError, match="zone"):
        parse_time("2019-04-01T00:00:00")
    with pytest.raises(InputError, match="zone"):
        to_literal(datetime(2019, 4, 1))  # noqa: DTZ001 - that is the point
