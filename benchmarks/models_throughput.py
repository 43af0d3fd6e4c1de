"""Speed of the models, each claim beside its peer in the same run: `python benchmarks/models_throughput.py`.

Peers of the exact integral over 181 modules x 183 segments: a plain Python loop (Simpson, one segment after
the other) and scipy's solve_ivp per module. Then 1e5 ragged histories with 20 million segments, a million
twins looked up in three shared legs, the whole model with all its sigmas over the ragged fleet, in parts and
in one, and the memory of each. Element-wise numpy runs on one thread. Prints one JSON object per line.

Memory of the whole model is the peak of the process (VmHWM) less its memory before the inputs were created, so
that the inputs count; it needs Linux, and is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from voltwin.models.base.batches import run_in_batches
from voltwin.models.base.columns import VALUES_AT_ONCE, Ragged, Trends, absent, offsets_of
from voltwin.models.base.protocol import Batch
from voltwin.models.registry import Registry
from voltwin.models.self_discharge.equivalent_age import exposure
from voltwin.models.self_discharge.loss import loss
from voltwin.models.self_discharge.model import SelfDischargeModel
from voltwin.models.self_discharge.rate_laws import GAS_CONSTANT, ArrheniusLaw
from voltwin.models.self_discharge.shared_records import SharedTemperatureRecord
from voltwin.models.service.requests import answer

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
    """Logger-like histories: 280 h in equal segments, wandering by up to 0.3 K per segment."""
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
    """The same loss of one module by an integrator, temperature interpolated between its nodes."""
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


def ragged_fleet(twins: int) -> Trends:
    """Histories of 150 to 250 segments, five minutes each."""
    random = np.random.default_rng(2)
    offsets = offsets_of(random.integers(150, 251, twins))
    total = int(offsets[-1])
    start = np.arange(total, dtype=np.float64)
    start *= 300.0
    first = random.uniform(283.0, 293.0, total)
    last = random.uniform(-0.3, 0.3, total)
    last += first
    return Trends(start, start + 300.0, first, last, first > 285.0, offsets)


def _bytes(trends: Trends) -> int:
    columns = (trends.start, trends.end, trends.first, trends.last, trends.measured, trends.offsets)
    return sum(column.nbytes for column in columns)


def ragged_histories(twins: int) -> None:
    """Histories of different lengths in one call, and its memory."""
    trends = ragged_fleet(twins)
    total, size = trends.start.size, _bytes(trends)
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


def whole_model(twins: int) -> None:
    """The self-discharge model with checks and all sigmas over a ragged fleet of 12 cells per twin."""
    context = multiprocessing.get_context("spawn")
    measured = []
    for chunk in (VALUES_AT_ONCE, 10**12):
        with context.Pool(1) as pool:
            measured.append(pool.apply(_whole_model, (twins, chunk)))
    parts, whole = measured
    report(
        what="the whole self-discharge model with all sigmas over ragged histories, in parts against in one",
        twins=twins,
        segments=parts["segments"],
        seconds=parts["seconds"],
        memory_over_input=parts["memory"],
        in_one_seconds=whole["seconds"],
        in_one_memory_over_input=whole["memory"],
        ratio=whole["seconds"] / parts["seconds"],
        largest_difference=f"{abs(parts['checksum'] / whole['checksum'] - 1):.1e}",
    )


def _whole_model(twins: int, chunk: int) -> dict[str, float]:
    model = SelfDischargeModel.shipped()
    empty = _resident("VmRSS")
    trends = ragged_fleet(twins)
    soc = Ragged(np.full(12 * twins, 50.0), offsets_of([12] * twins))
    columns = {
        "soc": soc,
        "temperatureTrend": trends,
        "until": trends.ends(),
        "socSigma": Ragged(np.empty(0), np.zeros(twins + 1, dtype=np.int64)),
        "ageBefore": absent(twins),
    }
    batch = Batch(twins, columns, {item.name: [item.default] * twins for item in model.parameters})
    size = _bytes(trends) + soc.values.nbytes + soc.offsets.nbytes
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak so far does not count
    start = time.perf_counter()
    answer = run_in_batches(batch, model._run, chunk)
    seconds = time.perf_counter() - start
    peak = _resident("VmHWM")
    assert not answer.problems
    sigma = answer.columns["lossSigma"]
    assert isinstance(sigma, np.ndarray)
    return {
        "segments": trends.start.size,
        "seconds": seconds,
        "memory": (peak - empty) / size,
        "checksum": float(sigma.sum()),
    }


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def shared_legs(twins: int) -> None:
    """Twins looked up in three shared records, against a history of its own for each."""
    random = np.random.default_rng(3)
    minutes = np.arange(4000) * 300.0
    legs = [
        SharedTemperatureRecord.of(LAW, minutes, 288.0 + np.cumsum(random.uniform(-0.1, 0.1, 4000))) for _ in range(3)
    ]
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


def whole_request() -> None:
    """A request for a whole lot, against one request per module."""
    registry = Registry.discover()
    instances = [_instance(row) for row in range(181)]
    seconds = best(lambda: answer(registry, "self-discharge", {"instances": instances}), 10)
    one = best(lambda: answer(registry, "self-discharge", {"instances": instances[:1]}), 20)
    report(
        what="a request: 181 modules x 400 segments x 12 cells, decoded, computed with sigmas, encoded",
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
    whole_model(100_000 // share)
    shared_legs(1_000_000 // share)
    whole_request()


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
