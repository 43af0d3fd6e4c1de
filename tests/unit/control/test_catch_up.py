"""A replay walks a bounded number of ticks from one message to the next, says what it skips, and can be stopped."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.control.actions.schedules import Absolute, Relative
from voltwin.control.interfaces import Outcome
from voltwin.control.master.inbox import Stop
from voltwin.control.master.intake import CLOCK_TOPIC
from voltwin.control.master.loop import Master
from voltwin.ontology.literals import format_time
from voltwin.testing import Bench, InlineExecutor, message

BEGIN = datetime(2019, 4, 1, tzinfo=UTC)
SERVICES = {"models": "http://127.0.0.1:1", "weather": "http://127.0.0.1:2"}
MOMENTS = st.integers(0, 10**7).map(lambda n: BEGIN + timedelta(seconds=n / 7))


@given(times=st.integers(1, 9), hours=st.integers(1, 400), first=MOMENTS, until=MOMENTS)
def test_the_ticks_counted_are_those_that_a_walk_meets(times: int, hours: int, first: Any, until: Any) -> None:
    schedule = Relative(times, timedelta(hours=hours))
    tick = begin = schedule.next_after(first)
    assert begin is not None
    walked = 0
    while tick is not None and tick <= until:
        walked += 1
        tick = schedule.next_after(tick)
    assert schedule.ticks(begin, until) == walked
    fixed = Absolute((first, until, BEGIN))
    assert fixed.ticks(first, until) == sum(first <= at <= until for at in fixed.at)


class Nothing:
    """A handler whose runs bring nothing."""

    def run(self, invocations: Any) -> Any:
        return [Outcome(item.run, outputs={}) for item in invocations]


HANDLERS = {"model-service": Nothing(), "http-pull": Nothing()}


def birth(examples: Any, time: datetime, key: str = "m-1") -> Any:
    body = {**examples["module-birth"], "id": key, "time": format_time(time)}
    return message(f"voltwin/modules/{key}/birth", body)


def tick(time: datetime) -> Any:
    return message(CLOCK_TOPIC, {"id": f"clock-{format_time(time)}", "time": format_time(time)})


def master_of(bench: Bench, monkeypatch: pytest.MonkeyPatch, ticks: int) -> Master:
    master = bench.master(SERVICES)
    master.catch_up_ticks = ticks
    monkeypatch.setattr(bench, "master", lambda *_: master)
    return master


def skipped_reasons(bench: Bench) -> list[str]:
    query = 'SELECT ?r { ?run a vt:Run ; vt:status "skipped" ; vt:reason ?r FILTER (CONTAINS(?r, "ticks skipped")) }'
    rows = json.loads(bench.fleet.query(query, "application/sparql-results+json").body)["results"]["bindings"]
    return [row["r"]["value"] for row in rows]


def scheduled(bench: Bench, begin: datetime, days: int) -> int:
    """The most ticks that an action of the fleet has in so many days."""
    end = begin + timedelta(days=days)
    return max(
        row.schedule.ticks(at, end)
        for row in bench.actions.by_iri.values()
        if row.schedule and (at := row.schedule.next_after(begin)) and at <= end
    )


@pytest.mark.parametrize("above", [False, True])
def test_the_limit_is_of_ticks_between_two_messages(
    bench: Bench, message_examples: Any, monkeypatch: pytest.MonkeyPatch, above: bool
) -> None:
    most = scheduled(bench, BEGIN, 10)
    master = master_of(bench, monkeypatch, most - above)
    executor = bench.play([birth(message_examples, BEGIN), tick(BEGIN + timedelta(days=10))], HANDLERS)
    moments = {item.time for _, batch in executor.batches for item in batch}
    if not above:
        assert len(moments) >= most
        assert (master.status()["ticksSkipped"], skipped_reasons(bench)) == (0, [])
        return
    assert len(moments) <= len(bench.actions.by_iri)
    (reason,) = skipped_reasons(bench)
    assert reason.startswith(f"{master.status()['ticksSkipped']} ticks skipped: ")
    assert (bench.clock.now() or BEGIN) == BEGIN + timedelta(days=10)


def test_a_message_ten_years_ahead_costs_a_run_for_each_action(
    bench: Bench, message_examples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    master = master_of(bench, monkeypatch, 1000)
    far = BEGIN.replace(year=2029)
    later = tick(far + timedelta(days=1))
    executor = bench.play([birth(message_examples, BEGIN), birth(message_examples, far, "m-2"), later], HANDLERS)
    # The last day is walked tick by tick again.
    moments = {item.time for _, batch in executor.batches for item in batch}
    assert scheduled(bench, far, 1) <= len(moments) <= scheduled(bench, far, 1) + 2 * len(bench.actions.by_iri)
    assert int(str(master.status()["ticksSkipped"])) > 1000
    assert "m-2" in bench.fleet
    assert len(skipped_reasons(bench)) == 1


def test_a_master_that_catches_up_stops_between_two_ticks(bench: Bench, message_examples: Any) -> None:
    master = bench.master(SERVICES)
    master.catch_up_ticks = 10**9
    stopped = threading.Event()

    class Stopping(Nothing):
        """Wants the stop at the tenth batch."""

        batches = 0

        def run(self, invocations: Any) -> Any:
            self.batches += 1
            if self.batches == 10:
                master.inbox.put(Stop())
                stopped.set()
            return super().run(invocations)

    handler = Stopping()
    master.inbox.put(birth(message_examples, BEGIN))
    master.inbox.put(tick(BEGIN.replace(year=2119)))
    executor = InlineExecutor(dict.fromkeys(HANDLERS, handler), master.inbox.put)
    thread = threading.Thread(target=master.run, args=(executor,))
    thread.start()
    assert stopped.wait(60)
    thread.join(60)
    assert not thread.is_alive()
    assert handler.batches == 10
