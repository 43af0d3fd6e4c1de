"""The demo again: it starts clean and gives the same numbers, whichever broker carries the messages."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from voltwin import Fleet

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SMALL = ("--modules", "4", "--seed", "7")
EVERYTHING = """SELECT ?graph ?subject ?predicate ?object { GRAPH ?graph { ?subject ?predicate ?object }
  FILTER(REGEX(STR(?graph), "^https://fleet.example/(twins/|runs)")) }"""


def content(folder: Any) -> tuple[set[str], list[Any]]:
    """All quads about twins and runs, and every series."""
    with Fleet.open(folder) as fleet:
        lines = fleet.query(EVERYTHING, "text/tab-separated-values").body.decode().splitlines()
        series = [answer.to_json() for answer in fleet.all("/*/logger/*") + fleet.all("/*/selfDischarge/trend")]
    return set(lines), series


def test_a_second_run_gives_the_same_graph(finished_study: Any) -> None:
    first_code, printed, first = finished_study("first", *SMALL)
    assert first_code == 0, printed
    assert "Traceback" not in printed
    second_code, printed, second = finished_study("second", *SMALL)
    assert second_code == 0, printed
    quads, series = content(first)
    assert len(quads) > 3000
    again, series_again = content(second)
    assert quads ^ again == set()
    assert series == series_again


def test_without_mosquitto_the_demo_brings_its_own_broker(finished_study: Any, tmp_path: Any) -> None:
    pytest.importorskip("amqtt")
    code, printed, _ = finished_study("amqtt", *SMALL, environment={"VOLTWIN_DEMO_BROKER": "amqtt"})
    assert code == 0, printed
    assert "4 modules" in printed


def test_a_busy_port_is_one_sentence(finished_study: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, printed, _ = finished_study("busy", "--modules", "1", "--port", str(port))
    assert code == 1
    assert printed.splitlines()[-1].startswith("case study: cannot listen on 127.0.0.1:")
    assert "Traceback" not in printed


def test_no_broker_is_one_sentence(finished_study: Any) -> None:
    code, printed, _ = finished_study("alone", "--modules", "1", "--broker", "mqtt://127.0.0.1:9")
    assert code == 1
    assert "no broker answers" in printed.splitlines()[-1]
    assert "Traceback" not in printed


def test_a_folder_that_is_no_fleet_is_left_alone(finished_study: Any, tmp_path: Any) -> None:
    precious = tmp_path / "precious" / "fleet"
    precious.mkdir(parents=True)
    (precious / "thesis.txt").write_text("years of work")
    code, printed, _ = finished_study("precious", "--modules", "1")
    assert code == 1
    assert "is no fleet" in printed
    assert (precious / "thesis.txt").read_text() == "years of work"
