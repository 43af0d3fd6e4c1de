"""A store in memory cannot be read by another process: it answers by itself, within limits of rows and bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest
from pyoxigraph import Store

from voltwin.errors import QueryLimitError, StoreError
from voltwin.graphstore.queries.limits import QueryLimits
from voltwin.testing import Bench


def test_it_answers_by_itself(bench: Bench) -> None:
    before = psutil.Process().children()
    assert bench.fleet.query("SELECT (COUNT(*) AS ?n) { ?t a vt:Twin }", "text/csv").body.startswith(b"n\r\n")
    assert psutil.Process().children() == before


@pytest.mark.parametrize("limits", [QueryLimits(rows=1), QueryLimits(bytes=20)])
def test_answers_have_limits(bench: Bench, limits: Any) -> None:
    bench.fleet.limits = limits
    with pytest.raises(QueryLimitError):
        bench.fleet.query("SELECT * { ?a ?b ?c }")


def test_its_snapshot_is_a_copy(bench: Bench, tmp_path: Path) -> None:
    store = bench.committer.store
    store.snapshot(tmp_path / "image")
    held = set(store.quads(None, None, None, None))
    store.clear()
    assert set(Store.read_only(str(tmp_path / "image"))) == held
    assert held


def test_a_snapshot_that_has_no_place_is_an_error(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot take a snapshot"):
        bench.committer.store.snapshot(tmp_path / "file" / "image")
