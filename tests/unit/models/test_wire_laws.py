"""Any request gives each instance outputs or a named problem, and does not change a sound neighbour."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voltwin.errors import VoltwinError
from voltwin.models.registry import Registry
from voltwin.models.service.requests import answer, describe

from .samples import discharge_instance, gate_instance, quantity

REGISTRY = Registry.discover()
SOUND = {
    "ocv-soc": {
        "inputs": {"ocv": quantity([3.65, 3.7], "V"), "temperature": quantity(24.0, "DEG_C")},
        "parameters": {},
    },
    "self-discharge": discharge_instance(250, cells=[50.0, 52.0]),
    "self-discharge-two-electrode": discharge_instance(250, cells=[50.0, 52.0]),
    "arrival-gate": gate_instance(),
}

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from(["", "V", "K", "DEG_C", "PERCENT", "SEC", "nan", "bpx-nmc111", "measured"]),
    st.lists(st.one_of(st.floats(), st.none(), st.text(max_size=2), st.booleans()), max_size=3),
    st.dictionaries(
        st.sampled_from(["value", "unit", "start"]), st.one_of(st.floats(), st.text(max_size=2)), max_size=2
    ),
)


def places(value: Any, way: Any = ()) -> Iterator[Any]:
    """The path of every place inside a JSON value."""
    yield way
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*way, key))
    elif isinstance(value, list):
        for index, item in enumerate(value[:3]):
            yield from places(item, (*way, index))


def replaced(instance: Any, way: Any, value: Any) -> Any:
    if not way:
        return value
    result = copy.deepcopy(instance)
    target = result
    for step in way[:-1]:
        target = target[step]
    target[way[-1]] = value
    return result


def same(one: Any, two: Any) -> Any:
    """Equality, with a tolerance for the rounding that depends on the length of an array."""
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
    return one == (pytest.approx(two, rel=1e-9, abs=1e-9) if isinstance(one, float) else two)


@pytest.mark.parametrize("name", sorted(SOUND))
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_one_odd_value_anywhere_spoils_at_most_its_own_instance(name: Any, data: Any) -> None:
    sound = SOUND[name]
    edits = data.draw(st.lists(st.tuples(st.sampled_from(list(places(sound))), odd), min_size=1, max_size=2))
    spoiled = sound
    for way, value in edits:
        try:
            spoiled = replaced(spoiled, way, value)
        except (TypeError, KeyError, IndexError):
            continue  # the first edit removed the place of the second
    assert_neighbours_unchanged(name, spoiled)


@pytest.mark.parametrize("name", [name for name, sound in SOUND.items() if "temperatureTrend" in sound["inputs"]])
def test_an_absurd_start_time_does_not_change_the_neighbours(name: Any) -> None:
    """Found by hypothesis: a running sum over all histories changed a neighbour's film loss by 3e-8."""
    start = ("inputs", "temperatureTrend", "start", 0)
    assert_neighbours_unchanged(name, replaced(SOUND[name], start, -3_135_326_124_517_626_624))


def assert_neighbours_unchanged(name: Any, spoiled: Any) -> None:
    sound = SOUND[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reply = answer(REGISTRY, name, {"instances": [sound, spoiled, sound]})
    json.dumps(reply, allow_nan=False)
    first, second, third = reply["results"]
    alone = answer(REGISTRY, name, {"instances": [sound]})["results"][0]
    assert same(first, alone)
    assert same(third, alone)
    assert ("outputs" in second) != ("error" in second)
    if "error" in second:
        assert second["error"]["field"]
        assert second["error"]["message"]


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5)), st.lists, max_leaves=5))
def test_a_request_that_is_none_is_an_error_of_ours(request_: Any) -> None:
    with pytest.raises(VoltwinError):
        answer(REGISTRY, "ocv-soc", request_)


@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_description_is_json(name: Any) -> None:
    json.dumps(describe(REGISTRY.get(name)), allow_nan=False)
