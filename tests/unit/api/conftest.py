from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from voltwin.api.app import create_app

from .sample_fleet import make_fleet


@pytest.fixture(scope="package")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Three modules; for reading only. It ends with this folder: its reader process is not to meet later tests."""
    with make_fleet(tmp_path_factory.mktemp("fleet")) as made:
        yield made


@pytest.fixture
def client(fleet: Any) -> Any:
    return TestClient(create_app(fleet), raise_server_exceptions=False)
