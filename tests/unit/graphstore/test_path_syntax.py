"""Paths as text and tree: they read back as they were written, and what is wrong is shown where it is."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.errors import PathSyntaxError
from voltwin.graphstore.paths.parse import parse
from voltwin.graphstore.paths.syntax import (
    Comparison,
    CurrentStep,
    Descendants,
    Name,
    Parent,
    Path,
    Position,
    Wildcard,
    Window,
)
from voltwin.ontology.steps import quote_step

odd = st.sampled_from("'\\/[]@\"=<>!,*() .\n%äΩ🔋#?&;")
texts = st.text(st.one_of(st.characters(exclude_categories=("Cs",)), odd), max_size=8)
names = st.one_of(st.sampled_from(["cells", "cell-03", "true", "2", "reasoner", "...", "-1.5", "2019"]), texts)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes with it
values = st.one_of(texts, st.booleans(), st.floats(allow_nan=False, allow_infinity=False), moments)
comparisons = st.builds(
    Comparison,
    st.lists(names, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    values,
)
predicates = st.lists(st.one_of(st.builds(Position, st.integers(1, 10**9)), comparisons), max_size=2).map(tuple)
steps = st.one_of(
    st.builds(Name, names, predicates),
    st.builds(Wildcard, predicates),
    st.builds(Descendants, predicates),
    st.just(Parent()),
    st.just(CurrentStep()),
)


@st.composite
def windows(draw: Any) -> Any:
    start, end = draw(st.none() | moments), draw(st.none() | moments)
    if start is not None and end is not None and start >= end:
        start, end = (end, start) if start > end else (None, end)
    return Window(start, end)


@st.composite
def paths(draw: Any) -> Any:
    absolute = draw(st.booleans())
    return Path(
        absolute,
        draw(st.lists(steps, min_size=0 if absolute else 1, max_size=5).map(tuple)),
        draw(st.none() | windows()),
    )


@given(paths())
def test_a_path_reads_back_as_it_was_written(path: Any) -> None:
    assert parse(str(path)) == path


def outcome(text: Any) -> Any:
    try:
        return parse(text), None
    except PathSyntaxError as error:
        return None, error


@given(st.text(st.sampled_from("abc1/'[]@=<>!,*.()T:Z-\\ 2019"), max_size=24))
def test_any_text_is_a_path_or_a_syntax_error_inside_the_text(text: Any) -> None:
    path, problem = outcome(text)
    if problem is None:
        assert parse(str(path)) == path
    else:
        assert 0 <= problem.position <= len(text)
        assert f"column {problem.position + 1}:" in str(problem)


@given(names)
def test_a_quoted_name_is_one_step(name: Any) -> None:
    assert parse(f"a/{quote_step(name)}").steps == (Name("a"), Name(name))


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("a/", 2),
        ("/module-0017//cells", 13),
        ("cells[", 6),
        ("cells[]", 6),
        ("cells[2", 7),
        ("cells[serial=]", 13),
        ("cells[serial='C-04'", 19),
        ("cells[serial~'C']", 13),
        ("cells 2", 5),
        ("cells[0]", 6),
        ("'[0'/cells[0]", 11),
        ("cells[a='[0']/x[00]", 16),
        ("a[t=2019-13-01T00:00Z]", 4),
        ("a@[2019-02-30T00:00Z,)", 3),
        ("a@[,2019-02-30T00:00Z)", 4),
        ("a@[2019-06-03T00:00Z,2019-06-01T00:00Z)", 1),
        ("'@['@[2019-06-03T00:00Z,2019-06-01T00:00Z)", 4),
        ("a[b=1e999]", 4),
        ("a[" + "9" * 5000 + "]", 2),
        ("a[t=0001-01-01T00:00+14:00]", 4),
    ],
)
def test_the_column_of_what_is_wrong(text: Any, position: Any) -> None:
    with pytest.raises(PathSyntaxError) as caught:
        parse(text)
    assert caught.value.position == position
    assert f"column {position + 1}:" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [("a/", "a name"), ("a[b='x'", "']'"), ("a@[", "a time such as"), ("cells[serial]", "one of = != < <= > >=")],
)
def test_an_error_says_what_would_fit(text: Any, hint: Any) -> None:
    with pytest.raises(PathSyntaxError, match="expected") as caught:
        parse(text)
    assert hint in str(caught.value)


def test_times_are_utc_whatever_zone_they_are_written_in() -> None:
    window = parse("a@[2019-06-01T02:00+02:00,2019-06-01T00:00:01.5Z)").window
    assert window == Window(datetime(2019, 6, 1, tzinfo=UTC), datetime(2019, 6, 1, 0, 0, 1, 500000, tzinfo=UTC))


def test_reasoner_is_reserved_as_the_first_step_inside_the_twin_only() -> None:
    assert parse("/a/reasoner/x").asks_reasoner
    assert parse("reasoner/x").asks_reasoner
    assert not parse("/reasoner/x").asks_reasoner
    assert not parse("/a/b/reasoner").asks_reasoner
    assert parse("/a/reasoner/x/y").without_reasoner() == parse("/a/x/y")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_every_digit(number: Any) -> None:
    (step,) = parse(str(Path(False, (Name("a", (Comparison(("b",), "=", number),)),)))).steps
    assert math.isclose(step.predicates[0].value, number, rel_tol=0, abs_tol=0)
