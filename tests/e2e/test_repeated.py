"""The demo again: it starts clean and gives the same numbers, whichever broker carries the messages."""

from __future__ import annotations

import shutil
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
    code, printed, _ = finished_study("amqtt", *SMALL, "--broker", "amqtt")
    assert code == 0, printed
    assert (tmp_path / "amqtt" / "out" / "amqtt.yaml").is_file()


def test_a_busy_port_is_one_sentence(finished_study: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, printed, _ = finished_study("busy", "--modules", "2", "--port", str(port))
    assert code == 6
    assert printed.splitlines()[-1].startswith("voltwin: cannot listen on 127.0.0.1:")
    assert "Traceback" not in printed


def test_no_broker_is_one_sentence(finished_study: Any) -> None:
    code, printed, _ = finished_study("alone", "--modules", "2", "--broker", "mqtt://127.0.0.1:9")
    assert code == 5
    assert "no broker answers" in printed.splitlines()[-1]
    assert "Traceback" not in printed


def test_a_folder_that_is_no_fleet_is_left_alone(finished_study: Any, tmp_path: Any) -> None:
    precious = tmp_path / "precious" / "fleet"
    precious.mkdir(parents=True)
    (precious / "thesis.txt").write_text("years of work")
    code, printed, _ = finished_study("precious", "--modules", "2")
    assert code == 4
    assert "no demo made it" in printed
    assert (precious / "thesis.txt").read_text() == "years of work"


def test_a_fleet_that_no_demo_made_is_left_alone(finished_study: Any, tmp_path: Any) -> None:
    other = tmp_path / "other" / "fleet"
    other.mkdir(parents=True)
    (other / "fleet.json").write_text("{}")
    code, printed, _ = finished_study("other", "--modules", "2")
    assert (code, (other / "fleet.json").read_text()) == (4, "{}")
    shutil.rmtree(other)
    out = tmp_path / "other" / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    code, printed, _ = finished_study("other", "--modules", "2")
    assert code == 4
    assert "out: no demo made it" in printed
    assert (out / "thesis.txt").read_text() == "years of work"
