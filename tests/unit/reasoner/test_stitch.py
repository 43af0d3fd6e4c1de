"""Stitching: at every instant the lowest priority that speaks wins; nothing overlaps, nothing is invented."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode

from voltwin.ontology.literals import from_microseconds
from voltwin.reasoner.candidates import Candidate
from voltwin.reasoner.stitch import Span, span, stitch

NODE = NamedNode("https://f.example/twins/a")
SERIES = NamedNode("https://f.example/twins/a/t")


@st.composite
def spans(draw: Any) -> Any:
    times = sorted(draw(st.sets(st.integers(0, 40), min_size=2, max_size=6)))
    constant = draw(st.booleans())
    if constant:
        times = [times[0], times[-1]]
    value = st.integers(-20, 60).map(float)
    values = [draw(value)] * 2 if constant else [draw(value) for _ in times]
    priority, rule = draw(st.integers(1, 4)) * 10, draw(st.sampled_from("ab"))
    origin = "best guess" if constant else "measured"
    return Span(times[0], times[-1], (priority, rule), origin, rule, tuple(times), tuple(values))


def best_at(given: Any, instant: Any) -> Any:
    speaking = [item for item in given if item.start <= instant < item.end]
    return min(speaking, key=lambda item: item.order, default=None)


@given(st.lists(spans(), max_size=7))
def test_at_every_instant_the_lowest_priority_that_speaks_wins(given_spans: Any) -> None:
    segments = stitch(given_spans).segments
    for instant in np.arange(-0.5, 41, 0.5):
        best = best_at(given_spans, instant)
        (*found,) = (item for item in segments if item.start <= instant < item.end)
        if best is None:
            assert found == []
            continue
        (segment,) = found
        assert (segment.priority, segment.rule) == best.order
        rivals = [item for item in given_spans if item.order == best.order and item.start <= instant < item.end]
        value = np.interp(instant, segment.times, segment.values)
        assert any(value == pytest.approx(np.interp(instant, item.times, item.values)) for item in rivals)


@given(st.lists(spans(), max_size=7))
def test_segments_are_in_order_and_do_not_overlap(given_spans: Any) -> None:
    segments = stitch(given_spans).segments
    for item in segments:
        assert item.start < item.end
        assert (item.times[0], item.times[-1]) == (item.start, item.end)
        assert list(item.times) == sorted(set(item.times))
        assert len(item.times) == len(item.values)
    for before, after in pairwise(segments):
        assert before.end <= after.start


@given(st.lists(spans(), max_size=6, unique_by=lambda item: item.order))
def test_neighbours_of_one_span_are_one_segment(given_spans: Any) -> None:
    segments = stitch(given_spans).segments
    for before, after in pairwise(segments):
        assert not (before.end == after.start and (before.priority, before.rule) == (after.priority, after.rule))


@given(st.permutations(range(5)), st.lists(spans(), min_size=5, max_size=5, unique_by=lambda item: item.order))
def test_the_order_in_which_candidates_come_does_not_matter(order: Any, given_spans: Any) -> None:
    assert stitch([given_spans[index] for index in order]) == stitch(given_spans)


@given(spans())
def test_one_span_is_its_own_trend(item: Any) -> None:
    (segment,) = stitch([item]).segments
    assert (segment.times, segment.values, segment.origin) == (item.times, item.values, item.origin)


@given(st.lists(spans(), max_size=5), st.integers(0, 40), st.integers(0, 40))
def test_a_window_of_a_trend_is_the_trend_in_the_window(given_spans: Any, start: Any, end: Any) -> None:
    trend = stitch(given_spans)
    cut = trend.within(start, end)
    for instant in np.arange(0.25, 41, 0.5):
        inside = [item for item in trend.segments if item.start <= instant < item.end and start <= instant < end]
        shown = [item for item in cut.segments if item.start <= instant < item.end]
        assert [item.rule for item in shown] == [item.rule for item in inside]
        for a, b in zip(shown, inside, strict=True):
            assert np.interp(instant, a.times, a.values) == pytest.approx(np.interp(instant, b.times, b.values))


class Samples:
    """A series reader over two lists."""

    def __init__(self, times: Any, values: Any) -> None:
        self.times, self.values = np.array(times, np.int64), np.array(values, np.float64)

    def read(self, series: Any, start: Any = None, end: Any = None) -> Any:
        kept = np.ones(len(self.times), bool)
        if start is not None:
            kept &= self.times >= start
        if end is not None:
            kept &= self.times < end
        return self.times[kept], self.values[kept]


def candidate(value: Any, start: Any = None, end: Any = None) -> Any:
    rule = NamedNode("https://f.example/rules/r")
    moments = (None if t is None else from_microseconds(t) for t in (start, end))
    return Candidate(NODE, NODE, NODE, value, rule, 10, *moments, ())  # type: ignore[call-arg]  # built from a row of the table above


def test_a_series_speaks_between_its_samples_inside_the_interval_only() -> None:
    series = Samples([0, 10, 20, 30, 40], [1, 2, 3, 4, 5])
    made = span(candidate(SERIES, 5, 35), series, 100)
    assert (made.start, made.end, made.times, made.values) == (10, 30, (10, 20, 30), (2.0, 3.0, 4.0))
    assert made.origin == "measured"


def test_nothing_is_known_after_the_moment_that_is_asked_for() -> None:
    series = Samples([0, 10, 20, 30], [1, 2, 3, 4])
    assert span(candidate(SERIES, 0), series, 20).times == (0, 10, 20)
    assert span(candidate(SERIES, 0), series, 9) is None
    constant = span(candidate(Literal(25.0), 5, 35), series, 20)
    assert (constant.start, constant.end, constant.values) == (5, 20, (25.0, 25.0))
    assert span(candidate(Literal(25.0), 20, 35), series, 20) is None


def test_one_sample_is_no_stretch_of_time() -> None:
    assert span(candidate(SERIES), Samples([10], [1]), 100) is None


def test_a_constant_without_a_beginning_has_no_stretch_to_speak_for() -> None:
    assert span(candidate(Literal(25.0)), Samples([], []), 100) is None


def test_an_interval_that_is_still_open_lasts_until_now() -> None:
    made = span(candidate(Literal(25), 5), Samples([], []), 77)
    assert (made.start, made.end, made.origin) == (5, 77, "best guess")
