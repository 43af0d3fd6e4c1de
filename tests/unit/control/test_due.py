"""The due table: in step with what was committed, missed ticks counted once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from voltwin.control.actions.action import Action, Actions
from voltwin.control.actions.schedules import Absolute, Relative
from voltwin.control.master.due import DueTable, first_due, follow_up
from voltwin.graphstore.interfaces import Due
from voltwin.ontology.literals import EPOCH

ACTIONS = [NamedNode(f"https://f.example/actions/{name}") for name in "ab"]
TWINS = [NamedNode(f"https://f.example/twins/{name}") for name in "xyz"]
HOUR = timedelta(hours=1)


def action(iri: Any, schedule: Any) -> Any:
    cls = NamedNode("https://f.example/C")
    return Action(iri, iri.value[-1], "model", cls, "h", (), (), (), "http://h", schedule, ())


moments = st.integers(0, 20).map(lambda hours: EPOCH + hours * HOUR)
rows = st.builds(Due, st.sampled_from(ACTIONS), st.sampled_from(TWINS), st.none() | moments)


@given(st.lists(rows, max_size=20), moments)
def test_it_holds_the_newest_row_of_each_action_and_twin(updates: Any, moment: Any) -> None:
    table = DueTable(updates[:3])
    for row in updates[3:]:
        table.update([row])
        table.next_moment()
    wanted = {}
    for row in updates:
        wanted[(row.action, row.twin)] = row.next
    wanted = {key: when for key, when in wanted.items() if when is not None}
    assert len(table) == len(wanted)
    assert all(key in table for key in wanted)
    assert table.next_moment() == min(wanted.values(), default=None)
    due = table.until(moment)
    assert {(row.action, row.twin): row.next for row in due} == {k: w for k, w in wanted.items() if w <= moment}
    assert [row.next for row in due] == sorted(row.next for row in due)  # type: ignore[type-var]  # no None is in there
    assert table.until(moment) == due


def test_a_new_twin_is_due_at_the_first_tick_after_it_came() -> None:
    hourly, late, none = (
        action(ACTIONS[0], Relative(1, HOUR)),
        action(ACTIONS[1], Absolute((EPOCH,))),
        action(NamedNode("https://f.example/actions/c"), None),
    )
    now = EPOCH + 0.5 * HOUR
    assert first_due([hourly, late, none], TWINS[0], now) == [Due(ACTIONS[0], TWINS[0], EPOCH + HOUR)]


@pytest.mark.parametrize(("late", "carried_out"), [(0, 1), (0.5, 1), (3.25, 4)])
def test_missed_ticks_of_a_relative_schedule_count_as_one(late: Any, carried_out: Any) -> None:
    actions = Actions({ACTIONS[0]: action(ACTIONS[0], Relative(1, HOUR))})
    due = Due(ACTIONS[0], TWINS[0], EPOCH + HOUR)
    moment, replacement = follow_up(due, actions, EPOCH + HOUR + late * HOUR)
    assert moment == EPOCH + carried_out * HOUR
    assert replacement == Due(ACTIONS[0], TWINS[0], EPOCH + (carried_out + 1) * HOUR)


def test_each_missed_moment_of_an_absolute_schedule_counts() -> None:
    at = (EPOCH + HOUR, EPOCH + 2 * HOUR)
    actions = Actions({ACTIONS[0]: action(ACTIONS[0], Absolute(at))})
    due, carried_out = Due(ACTIONS[0], TWINS[0], at[0]), []
    while due.next is not None:
        moment, due = follow_up(due, actions, EPOCH + 9 * HOUR)
        carried_out.append(moment)
    assert carried_out == list(at)


@pytest.mark.parametrize("actions", [Actions({}), Actions({ACTIONS[0]: action(ACTIONS[0], None)})])
def test_what_is_no_longer_scheduled_leaves_the_table(actions: Any) -> None:
    moment, replacement = follow_up(Due(ACTIONS[0], TWINS[0], EPOCH), actions, EPOCH + HOUR)
    assert (moment, replacement.next) == (None, None)
