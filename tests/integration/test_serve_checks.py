"""Services and handlers are warnings while a design is written, and errors before a server takes its first message."""

from __future__ import annotations

from pathlib import Path

import pytest

from voltwin import Fleet
from voltwin.assembly import check_conversion
from voltwin.converter import convert
from voltwin.errors import ActionError
from voltwin.server import Server
from voltwin.settings import Settings

from ..unit.api.sample_fleet import BASE, make_fleet
from .conftest import free_port
from .fleet_process import MODEL

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_fleet(tmp_path).close()
    return tmp_path / "fleet"


def settings(**services: str) -> Settings:
    """With a broker that is not there: whoever asked it would meet another error."""
    return Settings(port=0, broker=f"mqtt://127.0.0.1:{free_port()}", services=services)


def test_services_that_are_not_named_end_the_start(folder: Path) -> None:
    assert {finding.severity for finding in check_conversion(convert(MODEL))} == {"warning"}
    with pytest.raises(ActionError, match=r"service 'models'.*--service models=URL.*service 'weather'"):
        Server(folder, settings())
    with pytest.raises(ActionError, match="service 'weather'"):
        Server(folder, settings(models="http://127.0.0.1:1"))


def test_a_handler_that_is_not_registered_is_accepted_in_a_design_and_ends_the_start(folder: Path) -> None:
    graph = f"{BASE}actions"
    with Fleet.open(folder) as fleet:
        done = fleet.update(
            f"WITH <{graph}> DELETE {{ ?h vt:entryPoint ?old }} INSERT {{ ?h vt:entryPoint 'no-such-handler' }} "
            "WHERE { ?a vt:endpoint ?e ; vt:handler ?h . ?h vt:entryPoint ?old FILTER (CONTAINS(?e, 'weather')) }",
            author="ann",
        )
    assert (done.added, done.removed) == (1, 1)
    with pytest.raises(ActionError, match="no-such-handler"):
        Server(folder, settings(models="http://127.0.0.1:1", weather="http://127.0.0.1:2"))
