"""A sealed file that is missing or damaged: each answer is that of the whole fleet, or an error that names the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pyoxigraph import NamedNode

from voltwin.api.app import create_app
from voltwin.assembly import open_fleet
from voltwin.errors import StoreError
from voltwin.graphstore.fleets.fleet import FleetAccess
from voltwin.graphstore.fleets.local import LocalFleet
from voltwin.graphstore.folder import read_folder
from voltwin.graphstore.interfaces import Entry, SampleBatch
from voltwin.graphstore.operations.export import export_twins
from voltwin.maintenance import check_everything, compact_fleet

from ..unit.api.sample_fleet import EOL, make_fleet

pytestmark = pytest.mark.integration

SERIES: Final = "https://fleet.example/twins/truck-01/logger/temperature"
WINDOW: Final = '"2019-01-01T00:00:00Z"^^xsd:dateTime, "2030-01-01T00:00:00Z"^^xsd:dateTime'
QUERIES: Final = (
    *(
        f"SELECT (vtf:{name}(<{SERIES}>, {WINDOW}) AS ?v) {{}}"
        for name in ("count", "min", "max", "sum", "mean", "first", "last", "integral")
    ),
    f'SELECT (vtf:at(<{SERIES}>, "2019-04-09T00:00:00Z"^^xsd:dateTime) AS ?v) {{}}',
    f"SELECT (vtf:duration_below(<{SERIES}>, 6.0, {WINDOW}) AS ?v) {{}}",
    "SELECT (AVG(?m) AS ?v) { ?s a vt:Series . BIND(vtf:mean(?s) AS ?m) }",
    f"ASK {{ FILTER(vtf:count(<{SERIES}>) > 0) }}",
    "SELECT ?s { ?s a vt:Series FILTER(vtf:max(?s) > 1000) }",
    "SELECT (COUNT(*) AS ?v) { ?s a vt:Series OPTIONAL { ?s ?p ?o FILTER(vtf:min(?s) < 5) } }",
)
PATHS: Final = (
    "/truck-01/logger/temperature",
    "/truck-01/logger/temperature@[2019-01-01T00:00:00Z,2030-01-01T00:00:00Z)",
    "/truck-01/logger/temperature@[,2019-04-09T00:00Z)",
    "/module-0001/**",
)
PAGES: Final = (
    "/twins/truck-01/logger/temperature",
    "/twins/truck-01",
    "/fleet/twins/truck-01",
    "/fleet/plot.svg?path=/truck-01/logger/temperature",
    "/modules/module-0001",
    "/battery/plots/temperature-trend.svg?module=module-0001",
)


def remove(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet with two months of samples, all of them sealed."""
    folder = tmp_path_factory.mktemp("sealed-faults")
    with make_fleet(folder) as fleet:
        times = np.arange(600, dtype=np.int64) * 3_600_000_000 + int(EOL.timestamp() * 1e6)
        batch = SampleBatch(NamedNode(SERIES), times, np.sin(times / 1e10))
        fleet.committer.commit(Entry("test", EOL, batches=(batch,)))
    compact_fleet(folder / "fleet", seal_before=datetime(2020, 1, 1, tzinfo=UTC))
    assert len(sealed(folder / "fleet")) >= 2
    return folder / "fleet"


def sealed(folder: Path) -> list[Path]:
    return sorted(file for file in (folder / "series").rglob("*") if file.is_file())


def answers(folder: Path, file: Path | None) -> list[Any]:
    """The answers of every door; ``None`` where one is an error that names ``file``."""

    def said(text: str) -> None:
        assert file is not None, text
        assert file.name in text, text
        assert "backup" in text, text

    def tried(ask: Callable[[str], Any], text: str) -> Any:
        try:
            return ask(text)
        except StoreError as error:
            return said(str(error))

    def paths(some: FleetAccess) -> list[Any]:
        return [tried(lambda path: [str(item.to_json()) for item in some.all(path)], path) for path in PATHS]

    def queries(some: FleetAccess) -> list[Any]:
        return [tried(lambda text: some.query(text).body, text) for text in QUERIES]

    def exported(twin: str) -> int:
        shutil.rmtree(folder / "out", ignore_errors=True)
        return export_twins(read_folder(folder), (twin,), folder / "out").samples

    def page(client: TestClient, address: str) -> Any:
        response = client.get(address)
        if response.status_code == 503:
            return said(response.text)
        return response.status_code, response.content

    with open_fleet(folder) as fleet:
        assert isinstance(fleet, LocalFleet)
        then = fleet.as_of(fleet.committer.journal.last_sequence)
        found = [*queries(fleet), *paths(fleet), *queries(then), *paths(then)]
        with TestClient(create_app(fleet), raise_server_exceptions=False) as client:
            found += [page(client, address) for address in PAGES]
    found.append(tried(exported, "truck-01"))
    return found


@pytest.mark.parametrize("harm", [remove, cut, flip, empty])
def test_each_answer_is_whole_or_names_the_file(sound: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    wanted = answers(sound, None)
    assert None not in wanted
    for number in range(len(sealed(sound))):
        folder = tmp_path / str(number)
        shutil.copytree(sound, folder)
        file = sealed(folder)[number]
        harm(file)
        found = answers(folder, file)
        assert None in found
        for got, whole in zip(found, wanted, strict=True):
            assert got in (None, whole)
        assert any(file.name in finding.where for finding in check_everything(folder))


def test_an_update_that_cannot_read_a_sealed_file_writes_nothing(sound: Path, tmp_path: Path) -> None:
    shutil.copytree(sound, tmp_path / "fleet")
    for file in sealed(tmp_path / "fleet"):
        remove(file)
    mean = f"BIND(STR(COALESCE(vtf:mean(<{SERIES}>), 0)) AS ?n)"
    text = f"INSERT {{ GRAPH <https://fleet.example/x> {{ <{SERIES}> rdfs:label ?n }} }} WHERE {{ {mean} }}"
    with open_fleet(tmp_path / "fleet") as fleet:
        before = fleet.status()
        with pytest.raises(StoreError, match=r"sealed file .*\.parquet is missing"):
            fleet.update(text, author="anna")
        assert fleet.status() == before
