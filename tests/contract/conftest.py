"""The SPARQL servers of the contract suites, each started once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .servers import OxigraphServer, Proxy, VirtuosoServer


@pytest.fixture(scope="session")
def oxigraph_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`oxigraph serve` in memory."""
    server = OxigraphServer(tmp_path_factory.mktemp("oxigraph"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def virtuoso_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Virtuoso, whose start takes seconds."""
    server = VirtuosoServer(tmp_path_factory.mktemp("virtuoso"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def proxy(oxigraph_server: Any) -> Iterator[Any]:
    """A proxy in front of `oxigraph serve`."""
    made = Proxy(oxigraph_server.port)
    yield made
    made.close()
