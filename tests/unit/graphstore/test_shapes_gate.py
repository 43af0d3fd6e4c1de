"""The SPARQL in shapes passes the gate before their engine reads it."""

from __future__ import annotations

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from voltwin.errors import InputLimitError, QueryError
from voltwin.graphstore.validation.shacl import PyShaclEngine

SHACL = "http://www.w3.org/ns/shacl#"


@pytest.mark.parametrize("part", ["select", "ask", "construct", "update"])
def test_texts_of_shapes(part: str) -> None:
    def engine(text: str) -> PyShaclEngine:
        return PyShaclEngine([Triple(BlankNode(), NamedNode(SHACL + part), Literal(text))])

    engine("SELECT $this WHERE { " + "{" * 99 + "}" * 99 + " }")
    with pytest.raises(InputLimitError, match="shape: brackets are 101 deep"):
        engine("SELECT $this WHERE { " + "{" * 100 + "}" * 100 + " }")
    with pytest.raises(InputLimitError, match=r"shape: has .* words"):
        engine(f"SELECT $this WHERE {{ FILTER({'!' * 4000}1) }}")
    for service in ("SERVICE <http://127.0.0.1:9/>", "service silent ?where"):
        with pytest.raises(QueryError, match="SERVICE"):
            engine(f"SELECT $this WHERE {{ {service} {{ ?a ?b ?c }} }}")
