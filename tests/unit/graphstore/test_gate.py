"""The gate of texts: what it counts, and that nothing that the engine reads as depth escapes it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Store

from voltwin.errors import InputError, InputLimitError
from voltwin.graphstore.sparql.gate import check_sparql
from voltwin.graphstore.update.nesting import check_triple_terms
from voltwin.ontology.iris import PREFIXES
from voltwin.settings import InputLimits, Settings

DEEP = InputLimits(query_depth=5)
JUNK = [
    "# {\n",
    "# '\n",
    "# }\r",
    "# <\n",
    "<x:s> <x:p> '}' .",
    '<x:s> <x:p> "}" .',
    "<x:s> <x:p> '''}\n'}''' .",
    '<x:s> <x:p> """"}""" .',
    "<x:s#> <x:p#> <x:)> .",
    "<x:s> <x:p> '\\\\' .",
    "<x:s> <x:p> '\\'}' .",
    "<x:s> vt:a\\-b 1 .",
    "<x:s> vt:%7D 1 .",
    "<x:s> vt:key#}\n 1 .",
]


def fits(text: str) -> bool:
    try:
        check_sparql("query", text, DEEP)
    except InputLimitError:
        return False
    return True


@given(st.lists(st.lists(st.sampled_from(JUNK), max_size=3), min_size=1, max_size=8))
def test_the_depth_is_the_engines_whatever_stands_between_the_brackets(levels: list[list[str]]) -> None:
    text = "ASK " + " ".join(f"{{ {' '.join(level)}" for level in levels) + "}" * len(levels)
    Store().query(text, prefixes=PREFIXES)
    assert fits(text) == (len(levels) <= DEEP.query_depth)


@pytest.mark.parametrize("text", ["ASK \ud800", "ASK { ?s ?p '\0' }"])
def test_what_is_no_text(text: str) -> None:
    with pytest.raises(InputError):
        check_sparql("query", text, DEEP)


@pytest.mark.parametrize(
    ("between", "refused"),
    [(b" ", True), (b" # >> >>\n", True), (b' # "\n', True), (b" >> ", False), (b" 'x' ", False)],
)
def test_triple_terms_are_counted_through_comments(between: bytes, refused: bool) -> None:
    source = io.BytesIO((b"<< <x:a#> x:p" + between) * 6)
    if refused:
        with pytest.raises(InputLimitError, match="nested more than 5 deep"):
            check_triple_terms("file", source, DEEP)
    else:
        check_triple_terms("file", source, DEEP)


def test_settings() -> None:
    given = {"VOLTWIN_INPUT_QUERY_DEPTH": "7", "VOLTWIN_ALLOW_OUTGOING": "http://a.example/,http://b.example/x"}
    inputs = Settings.from_environment(given).inputs
    assert (inputs.query_depth, sorted(inputs.outgoing.allowed)) == (7, ["http://a.example", "http://b.example/x"])
    for wrong in ("0", "-1", "many"):
        with pytest.raises(InputError, match=r"(?i)query_depth"):
            Settings.from_environment({"VOLTWIN_INPUT_QUERY_DEPTH": wrong})
