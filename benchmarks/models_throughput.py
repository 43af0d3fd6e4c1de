"""How fast the models are, each claim beside its peer in the same run: `python benchmarks/models_throughput.py`.

Peers of the exact integral over 181 modules x 183 segments: a plain Python loop (Simpson, one segment after
the other) and scipy's solve_ivp per module. Then 1e5 ragged histories with 20 million segments, a million
twins looked up in three shared legs, and what a call costs in memory. Element-wise numpy runs on one thread.
Prints one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

from voltwin.models.columns import Trends, offsets_of
from voltwin.models.handler import answer
from voltwin.models.registry import Registry
from voltwin.models.self_discharge.equivalent_age import exposure
from voltwin.models.self_discharge.loss import loss
from voltwin.models.self_discharge.rate_laws import GAS_CONSTANT, ArrheniusLaw
from voltwin.models.self_discharge.situations import Situation

K25, ENERGY, BETA = 0.0028 / 730, 50e3, 0.87
LAW = ArrheniusLaw(K25, ENERGY, 298.15)


def best(function: Callable[[], object], repeats: int) -> float:
    """Shortest of several runs, s."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def fleet(modules: int, segments: int, seed: int = 1) -> Trends:
    """Logger-like histories: 280 h in equal segments, wandering by up to 0.3 K a segment."""
    random = np.random.default_rng(seed)
    nodes = 288.0 + np.cumsum(random.uniform(-0.3, 0.3, (modules, segments + 1)), axis=1)
    times = np.broadcast_to(np.linspace(0.0, 280 * 3600.0, segments + 1), nodes.shape)
    return Trends(
        times[:, :-1].ravel(),
        times[:, 1:].ravel(),
        nodes[:, :-1].ravel(),
        nodes[:, 1:].ravel(),
        np.ones(modules * segments, dtype=np.bool_),
        offsets_of([segments] * modules),
    )


def python_loop(trends: Trends) -> list[float]:
    """The same loss, segment after segment, Simpson's rule for each."""
    results = []
    b = ENERGY / GAS_CONSTANT
    start, end = trends.start.tolist(), trends.end.tolist()
    first, last = trends.first.tolist(), trends.last.tolist()

    def factor(kelvin: float) -> float:
        return math.exp(b / 298.15 - b / kelvin)

    for low, high in zip(trends.offsets[:-1].tolist(), trends.offsets[1:].tolist(), strict=True):
        hours = 0.0
        for i in range(low, high):
            middle = factor(0.5 * (first[i] + last[i]))
            hours += (end[i] - start[i]) / 3600 * (factor(first[i]) + 4 * middle + factor(last[i])) / 6
        results.append(math.log1p(BETA * K25 * hours) / BETA)
    return results


def by_solver(trends: Trends, row: int) -> float:
    """The same loss of one module by an integrator, temperature read off its nodes."""
    part = slice(int(trends.offsets[row]), int(trends.offsets[row + 1]))
    times = np.append(trends.start[part], trends.end[part][-1]) / 3600
    kelvin = np.append(trends.first[part], trends.last[part][-1])
    b = ENERGY / GAS_CONSTANT

    def slope(t: float, s: np.ndarray) -> np.ndarray:
        rate = K25 * math.exp(b / 298.15 - b / float(np.interp(t, times, kelvin)))
        return np.asarray(-rate * np.exp(BETA * (s - 0.5)))

    solved = solve_ivp(slope, (times[0], times[-1]), [0.5], rtol=1e-9, atol=1e-12, max_step=times[1] - times[0])
    return 0.5 - float(solved.y[0, -1])


def report(**figures: object) -> None:
    """One line of JSON."""
    print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}))


def segments_per_second() -> None:
    """181 modules x 183 segments against a Python loop and an integrator."""
    trends = fleet(181, 183)

    def vectorised() -> np.ndarray:
        return loss(np.full(181, 0.5), exposure(trends, LAW), BETA)

    vectorised()
    ours, loop = best(vectorised, 200), best(lambda: python_loop(trends), 10)
    report(
        what="181 modules x 183 segments against a Python loop",
        steps_per_second=181 * 183 / ours,
        milliseconds=ours * 1e3,
        loop_milliseconds=loop * 1e3,
        ratio=loop / ours,
        largest_difference=f"{np.abs(vectorised() - np.array(python_loop(trends))).max():.1e}",
    )
    few = 6
    start = time.perf_counter()
    solved = [by_solver(trends, row) for row in range(few)]
    solver = (time.perf_counter() - start) / few
    report(
        what="one module by solve_ivp against its share of the call",
        solver_milliseconds=solver * 1e3,
        ratio=solver * 181 / ours,
        largest_difference=f"{np.abs(vectorised()[:few] - np.array(solved)).max():.1e}",
    )


def ragged_histories(twins: int) -> None:
    """Histories of different lengths in one call, and the memory that takes."""
    random = np.random.default_rng(2)
    offsets = offsets_of(random.integers(150, 251, twins))
    total = int(offsets[-1])
    nodes = 288.0 + random.uniform(-5.0, 5.0, total)
    times = np.arange(total) * 300.0
    trends = Trends(times, times + 300.0, nodes, nodes + random.uniform(-0.3, 0.3, total), nodes > 285.0, offsets)
    size = sum(column.nbytes for column in (trends.start, trends.end, trends.first, trends.last, trends.measured))
    seconds = best(lambda: exposure(trends, LAW), 3)
    tracemalloc.start()
    exposure(trends, LAW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report(
        what="ragged histories in one call",
        twins=twins,
        segments=total,
        seconds=seconds,
        nanoseconds_per_segment=seconds / total * 1e9,
        memory_over_input=(size + peak) / size,
    )


def shared_legs(twins: int) -> None:
    """Twins looked up in three shared situations, against a bisection and an own history each."""
    random = np.random.default_rng(3)
    minutes = np.arange(4000) * 300.0
    legs = [Situation.of(LAW, minutes, 288.0 + np.cumsum(random.uniform(-0.1, 0.1, 4000))) for _ in range(3)]
    begin = random.uniform(0.0, minutes[-1] / 2, twins)
    end = begin + random.uniform(0.0, minutes[-1] / 2, twins)
    seconds = best(lambda: sum(leg.between(begin, end) for leg in legs), 3)
    few = 20
    own = Trends(
        np.tile(minutes[:-1], few),
        np.tile(minutes[1:], few),
        np.tile(legs[0].temperatures[:-1], few),
        np.tile(legs[0].temperatures[1:], few),
        np.ones(3999 * few, dtype=np.bool_),
        offsets_of([3999] * few),
    )
    each = best(lambda: exposure(own.within(begin[:few], end[:few]), LAW), 3) / few
    report(
        what="twins looked up in three shared legs",
        twins=twins,
        seconds=seconds,
        ratio_to_a_history_each=each * twins * 3 / seconds,
    )


def handler() -> None:
    """A request for a whole charge, against one request a module."""
    registry = Registry.discover()
    instances = [_instance(row) for row in range(181)]
    seconds = best(lambda: answer(registry, "self-discharge", {"instances": instances}), 10)
    one = best(lambda: answer(registry, "self-discharge", {"instances": instances[:1]}), 20)
    report(
        what="the handler: 181 modules x 400 segments x 12 cells, decoded, computed with sigmas, encoded",
        milliseconds=seconds * 1e3,
        one_by_one_milliseconds=one * 181 * 1e3,
        ratio=one * 181 / seconds,
    )


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the ragged fleet and of the look-ups")
    share = 10 if parser.parse_args().small else 1
    segments_per_second()
    ragged_histories(100_000 // share)
    shared_legs(1_000_000 // share)
    handler()


def _instance(row: int) -> dict[str, object]:
    trends = fleet(1, 400, seed=row)
    return {
        "inputs": {
            "soc": {"value": [50.0] * 12, "unit": "PERCENT"},
            "temperatureTrend": {
                "start": trends.start.tolist(),
                "end": trends.end.tolist(),
                "startValue": (trends.first - 273.15).tolist(),
                "endValue": (trends.last - 273.15).tolist(),
                "origin": ["measured"] * 400,
                "unit": "DEG_C",
            },
            "until": {"value": float(trends.end[-1]), "unit": "SEC"},
        }
    }


if __name__ == "__main__":
    main()
