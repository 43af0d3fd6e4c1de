"""A fleet with a logged series, for the tests of its readers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import Provenance, TwinWriter
from voltwin.testing import Bench

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)


@pytest.fixture
def truck(bench: Bench) -> Any:
    changes = ChangeSet(bench.committer.store)
    writer = TwinWriter(changes, bench.fleet.schema, bench.fleet.names, bench.committer.journal.series)
    twin = writer.create_twin("t1", bench.fleet.schema.class_named("Truck").iri)
    for hour, value in enumerate([4.0, 2.0, 9.0]):
        writer.put(twin, ["logger", "temperature"], value, "DEG_C", Provenance("asserted", T0 + timedelta(hours=hour)))
    bench.committer.commit(Entry("t", T0, changes.changes(), tuple(changes.samples)), tuple(changes.touched()))
    return bench.fleet.names.part(bench.fleet.names.part(twin, "logger"), "temperature")
