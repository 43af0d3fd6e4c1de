"""A graph whose files are overwritten under a running server is noticed, said, and made again; nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from voltwin.graphstore.folder import read_owner
from voltwin.maintenance import check_everything

from ..unit.api.sample_fleet import make_fleet

pytestmark = pytest.mark.integration

TRIPLES, SECONDS = 20_000, 60
COUNT = "SELECT (COUNT(*) AS ?n) (MAX(STRLEN(?o)) AS ?l) { ?s <https://x.example/text> ?o }"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """The folder and the address of a served fleet whose graph is larger than what the engine has read of it."""
    lines = (
        f'<https://x.example/n{i}> <https://x.example/text> "{i * 7919 % 65537:05d} {"x" * 60}" .'
        for i in range(TRIPLES)
    )
    (tmp_path / "texts.nt").write_text("\n".join(lines), "utf-8")
    with make_fleet(tmp_path) as fleet:
        fleet.load(tmp_path / "texts.nt", graph="https://fleet.example/texts", author="anna")
    folder = tmp_path / "fleet"
    process = subprocess.Popen([sys.executable, "-m", "voltwin", "serve", str(folder), "--port", "0"])
    try:
        deadline = time.monotonic() + SECONDS
        while not read_owner(folder).get("address"):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        yield folder, read_owner(folder)["address"]
        process.terminate()
        assert process.wait(20) == 0
        assert check_everything(folder) == []
    finally:
        process.kill()
        process.wait()


def overwrite(graph: Path) -> None:
    """Change bytes all over the files, in place, as a failing disk does."""
    for file in graph.glob("*.sst"):
        with file.open("r+b") as out:
            data = bytearray(out.read())
            for place in range(64, len(data), 512):
                data[place] ^= 0x55
            out.seek(0)
            out.write(data)


def ask(address: str) -> Any:
    return httpx2.get(f"{address}/sparql", params={"query": COUNT}, headers={"Accept": "text/csv"}, timeout=60)


def put(address: str, value: str) -> Any:
    body = {"value": value, "author": "anna"}
    return httpx2.put(f"{address}/twins/module-0001/serial", json=body, timeout=60)


def test_a_damaged_graph_is_made_again_and_no_acknowledged_write_is_lost(served: Any) -> None:
    folder, address = served
    before = ask(address)
    assert (before.status_code, before.text.splitlines()[1].split(",")[0]) == (200, str(TRIPLES))
    assert put(address, "S-before").status_code == 200
    overwrite(folder / "graph")
    refused, acknowledged, deadline, said = [], "S-before", time.monotonic() + SECONDS, set()
    number = 0
    while True:
        number += 1
        answer, written = ask(address), put(address, f"S-{number}")
        said.update({"graph"} & httpx2.get(f"{address}/status", timeout=60).json().keys())
        if written.status_code == 200:
            acknowledged = f"S-{number}"
        for response in (answer, written):
            assert response.status_code in (200, 503), response.text
            if response.status_code == 503:
                refused.append(response)
        if refused and answer.status_code == written.status_code == 200:
            break
        assert time.monotonic() < deadline
    assert refused, "the damage was not noticed"
    for response in refused:
        assert "the graph of this fleet is damaged" in response.text
        assert int(response.headers["Retry-After"]) > 0
    assert said == {"graph"}
    assert answer.text == before.text
    assert httpx2.get(f"{address}/twins/module-0001/serial").json()["answers"][0]["value"] == acknowledged
    assert "graph" not in httpx2.get(f"{address}/status").json()
