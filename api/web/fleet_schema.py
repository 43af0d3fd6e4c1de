"""Classes, properties and names of a fleet, wherever its store is."""

from __future__ import annotations

from ...graphstore.engines.oxigraph import OxigraphStore
from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.fleets.local import LocalFleet
from ...graphstore.schema import Schema, load_schema
from ...graphstore.sparql.binding import WHOLE_GRAPH, bind
from ...ontology.naming import Naming


def fleet_names(fleet: FleetAccess) -> Naming:
    """The naming scheme of the fleet."""
    return fleet.names if isinstance(fleet, LocalFleet) else Naming(str(fleet.status()["base"]))


def fleet_schema(fleet: FleetAccess) -> Schema:
    """The schema in the fleet's ontology graph; of a fleet behind a server it is read by one query."""
    if isinstance(fleet, LocalFleet):
        return fleet.schema
    names = fleet_names(fleet)
    graph = names.ontology_graph
    store = OxigraphStore(None, names.base)
    store.load(graph, fleet.query(bind(WHOLE_GRAPH, {"graph": graph}), "application/n-triples").body)
    return load_schema(store, names)
