"""What a fleet as of a moment keeps, in this process and behind a server: both times of every fact, and no writing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voltwin.api.app import create_app
from voltwin.api.http.server import WebServer
from voltwin.converter import convert
from voltwin.errors import InputError, MomentNotFoundError, PathNotFoundError, TwinNotFoundError, VoltwinError
from voltwin.graphstore.fleets.remote import RemoteFleet
from voltwin.graphstore.interfaces import Entry
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.paths.writing import TwinWriter
from voltwin.testing import BASE, Bench, ManualClock

from ..unit.api.sample_fleet import MODEL

T0 = datetime(2019, 4, 1, 6, tzinfo=UTC)
VOLTAGE = "/module-0001/cells/cell-03/voltage"
LOGGED = "/truck-01/logger/temperature"
TREND = "/module-0001/reasoner/temperatureTrend"
RULES = f"{BASE}rules"


def at(hours: Any) -> Any:
    return T0 + timedelta(hours=hours)


class Told:
    """One fleet, told something every hour; ``told`` remembers the commit of each."""

    def __init__(self, folder: Any, case_study: Any) -> None:
        self.clock = ManualClock(T0)
        self.bench = Bench.make(folder, case_study, clock=self.clock)
        self.fleet = self.bench.fleet
        self.commits = {"design": 1}

    def note(self, what: Any, hours: Any) -> Any:
        self.clock.set(at(hours))
        return self.commits.__setitem__(what, self.fleet.committer.journal.last_sequence + 1)

    def create_twin(self, what: Any, hours: Any, **twins: Any) -> None:
        self.note(what, hours)
        changes = ChangeSet(self.fleet.committer.store)
        writer = TwinWriter(changes, self.fleet.schema, self.fleet.names, self.fleet.committer.journal.series)
        for key, cls in twins.items():
            writer.create_twin(key.replace("_", "-"), self.fleet.schema.class_named(cls).iri)
        self.fleet.committer.commit(Entry("test", at(hours), changes.changes()), tuple(changes.touched()))

    def put(self, what: Any, hours: Any, path: Any, value: Any, unit: Any = None, about: Any = None) -> None:
        self.note(what, hours)
        self.fleet.put(path, value, unit=unit, time=at(hours if about is None else about), author="anna")

    def update(self, what: Any, hours: Any, text: Any) -> None:
        self.note(what, hours)
        self.fleet.update(text, author="expert")
        self.fleet.reload()
        self.bench.engine.reload(self.fleet.schema)
        self.bench.engine.derive_all()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    told = Told(tmp_path_factory.mktemp("told"), convert(MODEL))
    told.create_twin("births", 1, module_0001="Module", truck_01="Truck")
    told.put("value", 2, VOLTAGE, 3.65, "V")
    told.put("test", 2.5, "/module-0001/endOfLineTest/performedAt", at(0))
    told.put("begin", 3, "/module-0001/transport/begin", at(2))
    told.put("truck", 4, "/module-0001/transport/truck", "truck-01")
    for number, hours in enumerate((5, 6, 8)):
        told.put(f"sample {number}", hours, LOGGED, float(hours), "DEG_C")
    told.put("end", 9, "/module-0001/transport/end", at(8.5))
    told.put("correction", 10, VOLTAGE, 3.6, "V", about=2)
    told.put("late sample", 11, LOGGED, 7.0, "DEG_C", about=7)
    told.put("replaced sample", 12, LOGGED, 5.5, "DEG_C", about=5)
    told.create_twin("late birth", 13, module_0002="Module")
    told.update(
        "rule",
        14,
        f"""DELETE {{ GRAPH <{RULES}> {{ ?r vt:transformation ?old }} }}
            INSERT {{ GRAPH <{RULES}> {{ ?r vt:transformation "4.5" }} }}
            WHERE {{ GRAPH <{RULES}> {{ ?r vt:transformation ?old FILTER(?r = <{RULES}/default-temperature>) }} }}""",
    )
    told.update(
        "ontology",
        15,
        f"""DELETE {{ GRAPH <{BASE}ontology> {{ ?p vt:pathName "serial" }} }}
            INSERT {{ GRAPH <{BASE}ontology> {{ ?p vt:pathName "number" }} }}
            WHERE {{ GRAPH <{BASE}ontology> {{ ?p vt:pathName "serial" ; rdfs:domain ?d .
                                                 ?d rdfs:label "Module" }} }} ;
            DELETE {{ GRAPH <{BASE}actions> {{ ?a vt:output "serial <- serial" }} }}
            INSERT {{ GRAPH <{BASE}actions> {{ ?a vt:output "number <- serial" }} }}
            WHERE {{ GRAPH <{BASE}actions> {{ ?a vt:output "serial <- serial" }} }}""",
    )
    told.put("serial", 16, "/module-0001/number", "S-1")
    yield told
    told.fleet.close()


@pytest.fixture(scope="module", params=["local", "remote"])
def fleet(request: pytest.FixtureRequest, told: Any) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:
        if request.param == "local":
            yield told.fleet
            return
        server = stack.enter_context(WebServer(create_app(told.fleet), port=0))
        yield stack.enter_context(RemoteFleet(server.url))


@pytest.fixture
def asked(fleet: Any, told: Any) -> Any:
    """A path just before something was told and just after, by commit and by moment: both ways agree."""

    def ask(what: Any, path: Any, read: Any = lambda answer: answer.value) -> Any:
        number = told.commits[what]
        time = fleet.as_of(number).status()["asOf"]
        moment = datetime.fromisoformat(time)
        found = []
        for ways in ((number - 1, moment - timedelta(minutes=1)), (number, moment)):
            by_number, by_moment = ([read(a) for a in fleet.as_of(way).all(path)] for way in ways)
            assert by_number == by_moment
            found.append(by_number)
        return tuple(found)

    return ask


def samples(answer: Any) -> Any:
    return dict(zip(answer.value.times, answer.value.values, strict=True))


def hourly(values: Any) -> Any:
    return {
        round((at(hours) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6): v for hours, v in values.items()
    }


def test_a_value_is_not_known_before_it_was_told(asked: Any) -> None:
    assert asked("value", VOLTAGE) == ([], [3.65])


def test_a_corrected_value_was_believed_as_it_stood(asked: Any, fleet: Any, told: Any) -> None:
    assert asked("correction", VOLTAGE) == ([3.65], [3.6])
    # What it speaks for did not change, only what was known of it.
    assert asked("correction", VOLTAGE, lambda answer: answer.time) == ([at(2)], [at(2)])


def test_a_late_sample_was_not_there_yet(asked: Any) -> None:
    before, after = asked("late sample", LOGGED, samples)
    assert before == [hourly({5: 5.0, 6: 6.0, 8: 8.0})]
    assert after == [hourly({5: 5.0, 6: 6.0, 7: 7.0, 8: 8.0})]


def test_a_replaced_sample_had_its_first_value(asked: Any) -> None:
    before, after = asked("replaced sample", LOGGED, samples)
    assert (before[0][min(before[0])], after[0][min(after[0])]) == (5.0, 5.5)


def test_the_window_is_of_what_the_samples_speak_for_and_as_of_of_when_they_were_told(asked: Any) -> None:
    window = f"{LOGGED}@[2019-04-01T12:30Z,2019-04-01T13:30Z)"
    assert asked("late sample", window, samples) == ([{}], [hourly({7: 7.0})])


def test_a_twin_not_yet_born_is_not_there(asked: Any, fleet: Any, told: Any) -> None:
    assert asked("late birth", "/module-0002", lambda answer: answer.path) == ([], ["/module-0002"])
    before, after = (fleet.as_of(told.commits["late birth"] + step) for step in (-1, 0))
    assert "module-0002" not in before
    assert "module-0002" in after
    assert set(after) - set(before) == {"module-0002"}
    assert after.status()["twins"] == before.status()["twins"] + 1
    with pytest.raises(TwinNotFoundError, match="module-0002"):
        before.get("/module-0002/serial")


def test_a_trend_is_by_the_rules_and_samples_of_then_and_ends_there(asked: Any, fleet: Any, told: Any) -> None:
    def winners(answer: Any) -> Any:
        return [(segment.rule, segment.values[0]) for segment in answer.value.segments]

    before, _ = asked("late sample", TREND, winners)
    assert [rule for rule, _ in before[0]].count("logged-temperature") == 1
    (then,) = fleet.as_of(told.commits["sample 1"]).all(TREND)
    assert then.value.segments[-1].end == round(at(6).timestamp() * 1e6)
    assert next(s for s in then.value.segments if s.rule == "logged-temperature").values == (5.0, 6.0)


def test_a_rule_changed_since_infers_as_it_did(asked: Any) -> None:
    def default(answer: Any) -> Any:
        return {s.values[0] for s in answer.value.segments if s.rule == "default-temperature"}

    before, after = asked("rule", TREND, default)
    assert after == [{4.5}]
    assert before == [{20.0}]


def test_an_ontology_changed_since_has_the_steps_it_had(fleet: Any, told: Any) -> None:
    number = told.commits["ontology"]
    assert fleet.as_of(number - 1).all("/module-0001/serial") == []
    with pytest.raises(PathNotFoundError, match="serial"):
        fleet.as_of(number).all("/module-0001/serial")
    with pytest.raises(PathNotFoundError, match="number"):
        fleet.as_of(number - 1).all("/module-0001/number")
    assert fleet.as_of(told.commits["serial"]).get("/module-0001/number").value == "S-1"


def test_sparql_sees_the_past_series_and_all(asked: Any, fleet: Any, told: Any) -> None:
    text = """SELECT ?n (vtf:count(?s) AS ?count) WHERE { ?s a vt:Series ; vt:sampleCount ?n }"""

    def told_by(number: Any) -> Any:
        answer = fleet.as_of(number).query(text, "application/sparql-results+json")
        return [
            (int(r["n"]["value"]), int(r["count"]["value"])) for r in json.loads(answer.body)["results"]["bindings"]
        ]

    number = told.commits["late sample"]
    assert told_by(number - 1) == [(3, 3)]
    assert told_by(number) == [(4, 4)]
    assert told_by(told.commits["births"]) == []


def test_the_newest_commit_is_the_fleet_of_now(fleet: Any, told: Any) -> None:
    now = fleet.as_of(fleet.status()["commits"])
    for path in ("/", "/module-0001/**", VOLTAGE, LOGGED, "/*/transport/truck", "/module-0001/number"):
        assert now.all(path) == fleet.all(path)
    assert now.validate("module-0001") == fleet.validate("module-0001")
    assert now.validate() == fleet.validate()


def test_a_path_that_names_a_twin_and_one_that_goes_through_all_say_the_same(fleet: Any, told: Any) -> None:
    for number in sorted(set(told.commits.values())):
        past = fleet.as_of(number)
        for rest in ("transport/begin", "cells/*/voltage", "transport/truck/logger/temperature"):
            narrow = past.all(f"/module-0001/{rest}")
            assert narrow == [a for a in past.all(f"/*/{rest}") if a.path.startswith(("/module-0001", "/truck-01"))]


@pytest.mark.parametrize(
    "write",
    [
        lambda fleet: fleet.put(VOLTAGE, 1.0, unit="V", time=T0, author="x"),
        lambda fleet: fleet["module-0001"].put("cells/cell-03/voltage", 1.0, unit="V", time=T0, author="x"),
        lambda fleet: fleet.update("INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }", author="x"),
        lambda fleet: fleet.load("file.ttl", graph="urn:g", author="x"),
    ],
)
def test_the_past_is_not_written(fleet: Any, write: Any) -> None:
    before = fleet.status()["commits"]
    with pytest.raises(InputError, match="the past can be read and not written"):
        write(fleet.as_of(before))
    assert fleet.status()["commits"] == before


def outcome(call: Any) -> Any:
    try:
        return call()
    except VoltwinError as error:
        return type(error), str(error)


@pytest.mark.parametrize("when", [0, -3, 10_000, datetime(1969, 1, 1, tzinfo=UTC), datetime(2019, 4, 1)])  # noqa: DTZ001
def test_outside_the_history_is_refused_alike(told: Any, when: Any) -> None:
    with WebServer(create_app(told.fleet), port=0) as server, RemoteFleet(server.url) as remote:
        local, far = (outcome(lambda one=one: one.as_of(when)) for one in (told.fleet, remote))
    assert local == far
    if isinstance(when, int) or when.tzinfo:
        assert local[0] is MomentNotFoundError
        assert "history, which extends from commit 1 of 1970-01-01T00:00:00Z to commit" in local[1]
    else:
        assert local[0] is InputError


def test_from_a_past_one_may_go_further_back_and_not_forth(told: Any) -> None:
    past = told.fleet.as_of(5)
    assert past.as_of(3).status()["commits"] == 3
    with pytest.raises(MomentNotFoundError, match="after commit 5"):
        past.as_of(6)


def test_the_events_of_a_past_fleet_end_there(fleet: Any) -> None:
    assert [event.sequence for event in fleet.as_of(4).events(1)] == [2, 3, 4]
