from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from voltwin.errors import EnvironmentProblem
from voltwin.simulator.climate import weather_trace
from voltwin.simulator.weather import answer, weather_server


@pytest.fixture
def service() -> Iterator[Any]:
    with weather_server("127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_service_answers_from_the_trace(service: Any) -> None:
    with urlopen(f"{service}/weather?time=2019-04-11T06:30:00Z") as response:
        assert response.headers["Content-Type"] == "application/json"
        body = json.load(response)
    expected = weather_trace().at(datetime(2019, 4, 11, 6, 30, tzinfo=UTC))
    assert body["time"] == "2019-04-11T06:30:00Z"
    assert body["temperature"] == {"value": expected, "unit": "DEG_C"}
    assert "2010" in body["source"]


def test_health(service: Any) -> None:
    with urlopen(f"{service}/health") as response:
        assert json.load(response) == {
            "status": "ok",
            "from": "2019-03-15T00:00:00Z",
            "to": "2019-05-01T00:00:00Z",
        }


def test_an_error_is_json_too(service: Any) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{service}/weather?time=2020-01-01T00:00:00Z")
    with caught.value as response:
        assert response.status == HTTPStatus.NOT_FOUND
        assert "the trace covers" in json.load(response)["error"]


@pytest.mark.parametrize(
    "query",
    [
        "2019-04-11T08:30:00%2B02:00",
        "2019-04-11T08:30:00+02:00",
        "2019-04-11%2006:30:00Z",
        "2019-04-11T06:30Z",
    ],
)
def test_any_rfc_3339_time_will_do(query: Any) -> None:
    status, body = answer(f"/weather?time={query}")
    assert status == HTTPStatus.OK
    assert body["time"] == "2019-04-11T06:30:00Z"


@pytest.mark.parametrize(
    ("target", "status", "says"),
    [
        ("/weather", HTTPStatus.BAD_REQUEST, "give it once"),
        (
            "/weather?time=2019-04-11T06:00:00Z&time=2019-04-11T07:00:00Z",
            HTTPStatus.BAD_REQUEST,
            "give it once",
        ),
        ("/weather?time=noon", HTTPStatus.BAD_REQUEST, "not RFC 3339"),
        ("/weather?time=2019-04-11T06:00:00", HTTPStatus.BAD_REQUEST, "no time zone"),
        ("/weather?time=2019-03-14T23:59:59Z", HTTPStatus.NOT_FOUND, "the trace covers"),
        ("/elsewhere", HTTPStatus.NOT_FOUND, "/weather"),
    ],
)
def test_what_cannot_be_answered_says_why(target: Any, status: Any, says: Any) -> None:
    given, body = answer(target)
    assert given == status
    assert says in body["error"]


def test_a_busy_port_is_named() -> None:
    with (
        weather_server("127.0.0.1", 0) as first,
        pytest.raises(EnvironmentProblem, match=str(first.server_port)),
    ):
        weather_server("127.0.0.1", first.server_port)
