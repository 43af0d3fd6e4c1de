"""Reading what Virtuoso gives back: the table it answers an ASK with, rounded numbers, rows in another order."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode

from voltwin.errors import StoreError
from voltwin.graphstore.engines.endpoint.dialect import JSON, N_TRIPLES, TURTLE, Standard, Virtuoso
from voltwin.ontology.iris import XSD

DOUBLE = XSD.double.value


def table(names: Any, rows: Any) -> Any:
    return json.dumps({"head": {"vars": names}, "results": {"bindings": rows}}).encode()


def number(text: Any) -> Any:
    return {"type": "typed-literal", "datatype": DOUBLE, "value": text}


def turtle(rows: Any) -> Any:
    lines = ["@prefix res: <http://www.w3.org/2005/sparql-results#> .", "_:_ a res:ResultSet ."]
    for row in rows:
        bindings = " ; ".join(f'res:binding [ res:variable "{n}" ; res:value {v} ]' for n, v in row.items())
        lines.append(f"_:_ res:solution [ {bindings} ] .")
    return "\n".join(lines).encode()


@pytest.mark.parametrize(("rows", "truth"), [([], False), ([{"__ASK_RETVAL": number("1")}], True)])
def test_an_ask_may_come_as_a_table(rows: Any, truth: Any) -> None:
    assert bool(Virtuoso().rows({JSON: table(["__ASK_RETVAL"], rows)}.__getitem__)) is truth


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(-1e6, 1e6, allow_subnormal=False)), max_size=8), st.randoms()
)
def test_numbers_are_exact_whatever_the_order_of_the_second_answer(rows: Any, random: Any) -> None:
    first = [{"k": {"type": "literal", "value": key}, "v": number(f"{value:g}")} for key, value in rows]
    second = [{"k": f'"{key}"', "v": f"{value:.20g}"} for key, value in rows]
    random.shuffle(second)
    read = Virtuoso().rows({JSON: table(["k", "v"], first), TURTLE: turtle(second)}.__getitem__)
    found = sorted((row["k"].value, float(row["v"].value)) for row in read)
    assert found == sorted((key, value + 0.0) for key, value in rows)


def test_two_answers_that_do_not_fit_are_asked_for_again_and_then_refused() -> None:
    asked = []

    def ask(accept: Any) -> Any:
        asked.append(accept)
        return {JSON: table(["v"], [{"v": number("1.5")}]), TURTLE: turtle([{"v": "2.5"}])}[accept]

    with pytest.raises(StoreError, match="other clients write to it"):
        Virtuoso().rows(ask)
    assert asked.count(JSON) == asked.count(TURTLE) == 3


def test_triples_get_their_digits_back() -> None:
    start = "<https://x.example/s> <https://x.example/p>"
    cut = f'{start} "0.333333"^^<{DOUBLE}> .\n{start} "0.25"^^<{XSD.decimal.value}> .\n'
    whole = f"{start} 0.33333333333333331483 , 0.25 ."
    triples = Virtuoso().triples({N_TRIPLES: cut.encode(), TURTLE: whole.encode()}.__getitem__)
    assert {triple.object for triple in triples} == {Literal(1 / 3), Literal("0.25", datatype=XSD.decimal)}


@pytest.mark.parametrize("body", [b"", b'{"head": {"vars": ["x"]}, "results": {"bindings": [', b"<html>"])
def test_an_answer_that_was_cut_off_is_an_error(body: Any) -> None:
    with pytest.raises(StoreError, match="truncated"):
        Standard().rows(lambda _: body)


@given(st.integers(), st.decimals(allow_nan=False, allow_infinity=False))
def test_what_is_kept_as_text_says_so_in_its_datatype_alone(integer: Any, decimal: Any) -> None:
    for value in (Literal(integer), Literal(f"{decimal:f}", datatype=XSD.decimal)):
        written = Virtuoso().written(value)
        assert Decimal(written.value) == Decimal(value.value)
        assert written.datatype.value.removeprefix("urn:x-voltwin:kept:") == value.datatype.value
    assert Virtuoso().written(NamedNode("https://x.example/")) == NamedNode("https://x.example/")
