"""Why a path compiles to the SPARQL it does (docs/adr/0006): the same questions in other forms, in one run.

    python benchmarks/path_forms.py [demo-fleet]

Reads a snapshot of the fleet that `make demo` leaves. Prints, per path and form, the best of several runs
and its ratio to the form that voltwin writes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pyoxigraph import NamedNode, Store

from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.interfaces import Term
from voltwin.graphstore.paths.compile import compile_path
from voltwin.graphstore.paths.parse import parse
from voltwin.graphstore.schema import Schema, load_schema
from voltwin.ontology.iris import PROV, RDF, SOSA, VT
from voltwin.ontology.naming import Naming

MODEL = "https://w3id.org/voltwin/models/battery-logistics/"
RUNS = 5


class Snapshot:
    """As much of a triple store as reading a schema takes."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.read_only(str(folder))

    def quads(
        self, subject: NamedNode | None, predicate: NamedNode | None, object: Term | None, graph: NamedNode | None
    ) -> object:
        """Quads that match the pattern."""
        return self.store.quads_for_pattern(subject, predicate, object, graph)

    def seconds(self, text: str) -> float:
        """The best of several runs, s."""
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            list(self.store.query(text, use_default_graph_as_union=True))
            times.append(time.perf_counter() - start)
        return min(times)


def forms(path: str, way: str, node: str, prop: NamedNode, schema: Schema, names: Naming) -> dict[str, str]:
    """The question of ``path`` in several forms; ``way`` leads to ``node``, which has ``prop``."""
    value = f"SELECT * WHERE {{ {way} GRAPH ?graph {{ {node} {prop} ?value }}"
    listed = f"SELECT * WHERE {{ {way} VALUES ?property {{ {prop} }} GRAPH ?graph {{ {node} ?property ?value }}"

    def optional(property: str) -> str:
        return " ".join(
            f"OPTIONAL {{ GRAPH ?graph {{ ?o{n} {SOSA.hasFeatureOfInterest} {node} . "
            f"?o{n} {SOSA.observedProperty} {property} . ?o{n} {mark} ?m{n} }} }}"
            for n, mark in enumerate((SOSA.resultTime, PROV.wasGeneratedBy))
        )

    minted = f"BIND(IRI(CONCAT(STR({node}), '#{prop.value.rpartition('.')[2]}')) AS ?o) " + " ".join(
        f"OPTIONAL {{ GRAPH ?graph {{ ?o {mark} ?m{n} }} }}"
        for n, mark in enumerate((SOSA.resultTime, PROV.wasGeneratedBy))
    )
    parsed = parse(path)
    return {
        "UNION, constant property (voltwin)": compile_path(parsed, schema, names, True).query,
        "OPTIONAL, constant property": f"{value} {optional(str(prop))} }}",
        "OPTIONAL, property from VALUES": f"{listed} {optional('?property')} }}",
        "OPTIONAL, observation by BIND": f"{value} {minted} }}",
        "value alone (voltwin)": compile_path(parsed, schema, names, False).query,
        "value alone, property from VALUES": f"{listed} }}",
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("fleet", type=Path, nargs="?", default=Path("demo-fleet"))
    folder = arguments.parse_args().fleet
    if not (folder / "fleet.json").is_file():
        raise SystemExit(f"{folder}: is no fleet; `make demo ARGS=--exit` makes the one this reads")
    found = read_folder(folder)
    names, store = Naming(found.base), Snapshot(found.graph)
    schema = load_schema(store, names)  # type: ignore[arg-type]  # quads is all it asks
    module = names.twin("module-0017")
    twins = f"?twin {RDF.type} {VT.Twin} ."
    test, cells = (NamedNode(f"{MODEL}product#Module.{role}") for role in ("arrivalTest", "cells"))
    decision, voltage = NamedNode(f"{MODEL}logistics#ArrivalTest.decision"), NamedNode(f"{MODEL}product#Cell.voltage")
    for path, way, node, prop in (
        ("/*/arrivalTest/decision", f"{twins} ?twin {test} ?n .", "?n", decision),
        ("/module-0017/cells/*/voltage", f"{module} {cells} ?n .", "?n", voltage),
        ("/module-0017/cells/cell-03/voltage", "", str(names.part(module, "cells", "cell-03")), voltage),
    ):
        print(path)
        ours = 0.0
        for name, text in forms(path, way, node, prop, schema, names).items():
            seconds = store.seconds(text)
            ours = seconds if name.startswith("UNION") else ours
            print(f"  {name:36} {1e3 * seconds:9.2f} ms  {seconds / ours:8.2f} x")


if __name__ == "__main__":
    main()
