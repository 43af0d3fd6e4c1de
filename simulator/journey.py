"""Messages of a plan: one module's life, one truck's log, the clock.

>>> from voltwin.simulator.plan import ReplaySettings, plan_fleet
>>> world = World.of(plan_fleet(ReplaySettings(modules=4, leaky=0)))
>>> [message.kind for message in module_messages(world, world.plan.modules[0])][:3]
['module-birth', 'module-end-of-line', 'storage-begin']

Every module and every truck draws from a random stream of its own, so that one more module does not change
the noise of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from .climate import (
    CELL_PLANT_SET_POINT,
    SOAK_TIME_CONSTANT,
    SYSTEM_PLANT_SET_POINT,
    CargoClimate,
    cargo_climate,
    lag,
    room_temperature,
    weather_trace,
)
from .messages import Message, clock_message, twin_message
from .physics import (
    CAPACITY,
    CURVE_NAME,
    SECONDS_PER_HOUR,
    Array,
    CellTruth,
    draw_cells,
    equivalent_age,
    reading,
    soc_after,
    terminal_voltage,
    with_leak,
)
from .plan import (
    CELL_PLANT,
    CLOCK_INTERVAL,
    SAMPLE_INTERVAL,
    SYSTEM_PLANT,
    FleetPlan,
    ModulePlan,
    TruckPlan,
)
from .route import AVERAGE_SPEED, WROCLAW_TO_PARIS, driven_hours, is_driving, positions

LEAK_DROPS: Final = (0.005, 0.015)
"""Voltage drop of a cell with a planted leak at the arrival test, V; used in turn."""

HISTORY_STEP: Final = 300.0

# first word of a random stream; the plan itself uses 0
_FLEET, _CELLS, _TESTS, _TRUCKS = 1, 2, 3, 4


@dataclass(frozen=True, eq=False)
class ModuleTruth:
    """The true state of one module, known only to the simulator.

    ``cells`` at the end-of-line test, ``arrival_soc`` (fraction, shape (cells,)), ``equivalent_hours`` at
    25 °C, temperatures ``lowest`` and ``at_arrival`` in °C.
    """

    cells: CellTruth
    arrival_soc: Array
    equivalent_hours: float
    lowest: float
    at_arrival: float


class Leak(NamedTuple):
    """A planted leak: the position of its cell, and the voltage drop (V) at the arrival test."""

    cell: int
    drop: float


class RoomDeviations(NamedTuple):
    """True temperatures of the store rooms less their set points, K."""

    outbound: float
    inbound: float


@dataclass(frozen=True, eq=False)
class World:
    """A plan with the climates and defects drawn from its seed; ``leaks`` by the index of the module."""

    plan: FleetPlan
    deviations: RoomDeviations
    cargo: dict[str, CargoClimate]
    leaks: dict[int, Leak]

    @classmethod
    def of(cls, plan: FleetPlan) -> World:
        """Draw the world of a plan: deviations of the store rooms, climates of the trucks, leaky cells."""
        settings = plan.settings
        random = np.random.default_rng([settings.seed, _FLEET])
        outbound, inbound = (float(value) for value in random.uniform(-0.4, 0.4, size=2))
        cargo = {
            truck.key: cargo_climate(weather_trace(), truck.loading, truck.unloaded, CELL_PLANT_SET_POINT)
            for truck in plan.trucks
        }
        leaky = np.sort(random.permutation(settings.modules)[: settings.leaky]).tolist()
        leaks = {
            index: Leak(int(random.integers(settings.cells)), LEAK_DROPS[turn % len(LEAK_DROPS)])
            for turn, index in enumerate(leaky)
        }
        return cls(plan, RoomDeviations(outbound, inbound), cargo, leaks)

    def stream(self, purpose: int, index: int) -> np.random.Generator:
        """The random stream of one module or truck for one purpose."""
        return np.random.default_rng([self.plan.settings.seed, purpose, index])


def temperature_history(world: World, module: ModulePlan) -> tuple[Array, Array]:
    """A module's true temperature from test to test: seconds since 1970 and °C, shape (n,) each."""
    start, loaded = module.end_of_line.timestamp(), module.loaded.timestamp()
    unloaded, end = module.unloaded.timestamp(), module.arrival_test.timestamp()
    outbound = np.arange(start, loaded, HISTORY_STEP)
    road = np.arange(loaded, unloaded, HISTORY_STEP)
    inbound = np.append(np.arange(unloaded, end, HISTORY_STEP), end)
    on_road = world.cargo[module.truck].temperature(road)
    room = room_temperature(SYSTEM_PLANT_SET_POINT, world.deviations.inbound, inbound)
    return (
        np.concatenate((outbound, road, inbound)),
        np.concatenate(
            (
                room_temperature(CELL_PLANT_SET_POINT, world.deviations.outbound, outbound),
                on_road,
                lag(inbound, room, float(on_road[-1]), SOAK_TIME_CONSTANT),
            )
        ),
    )


def module_truth(world: World, module: ModulePlan) -> ModuleTruth:
    """The true state of a module's cells, leak included."""
    seconds, celsius = temperature_history(world, module)
    aged, age = equivalent_age(seconds, celsius), module.age / timedelta(hours=1)
    cells = draw_cells(world.stream(_CELLS, module.index), world.plan.settings.cells)
    if module.index in world.leaks:
        cells = with_leak(cells, *world.leaks[module.index], aged, age)
    return ModuleTruth(cells, soc_after(cells, aged, age), aged, float(celsius.min()), float(celsius[-1]))


def module_messages(world: World, module: ModulePlan) -> Iterator[Message]:
    """One module's messages, in order of time."""
    truth = module_truth(world, module)
    random = world.stream(_TESTS, module.index)
    key = module.key
    temperature = 25.0 + float(random.normal(0.0, 0.1))
    rest = 6.0 + float(random.uniform(-0.3, 0.3))
    yield twin_message(
        "module-birth",
        key,
        module.birth,
        serial=f"{module.birth.year}-{module.index + 1:05d}",
        type=f"{world.plan.settings.cells}s1p",
        capacity=CAPACITY,
        curve=CURVE_NAME,
    )
    end_of_line = reading(random, terminal_voltage(truth.cells.soc, temperature, rest))
    yield _test("module-end-of-line", key, module.end_of_line, end_of_line, temperature, rest, random)
    yield twin_message("storage-begin", key, module.stored_outbound, stay="outbound", storage=CELL_PLANT)
    yield twin_message("storage-end", key, module.fetched_outbound, stay="outbound")
    yield twin_message("transport-begin", key, module.loaded, truck=module.truck)
    yield twin_message("transport-end", key, module.unloaded)
    yield twin_message("storage-begin", key, module.stored_inbound, stay="inbound", storage=SYSTEM_PLANT)
    yield twin_message("storage-end", key, module.fetched_inbound, stay="inbound")
    rest += module.age / timedelta(hours=1)
    arrival = reading(random, terminal_voltage(truth.arrival_soc, truth.at_arrival, rest))
    yield _test("module-arrival", key, module.arrival_test, arrival, truth.at_arrival, rest, random)


def truck_messages(world: World, truck: TruckPlan) -> Iterator[Message]:
    """One data logger's samples, every five minutes from loading to unloading."""
    times = sample_times(truck)
    seconds = np.array([time.timestamp() for time in times])
    elapsed = (seconds - truck.departure.timestamp()) / SECONDS_PER_HOUR
    places = positions(WROCLAW_TO_PARIS, driven_hours(truck.schedule, elapsed) * AVERAGE_SPEED)
    moving = is_driving(truck.schedule, elapsed)
    climate = world.cargo[truck.key]
    random = world.stream(_TRUCKS, world.plan.trucks.index(truck))
    size = len(times)
    celsius = climate.temperature(seconds) + random.normal(0.0, 0.05, size=size)
    humidity = np.interp(seconds, climate.seconds, climate.humidity) + random.normal(0.0, 0.5, size=size)
    # the largest of many shocks in five minutes: a Gumbel variable while driving, sensor noise at rest
    shock = np.where(moving, random.gumbel(2.0, 0.6, size=size), random.gumbel(0.06, 0.02, size=size))
    satellite = random.normal(0.0, 0.00003, size=(size, 2))
    for i, time in enumerate(times):
        yield twin_message(
            "transport-sample",
            truck.key,
            time,
            temperature=round(float(celsius[i]), 2),
            humidity=round(min(100.0, max(0.0, float(humidity[i]))), 1),
            acceleration=round(max(0.0, float(shock[i])), 2),
            latitude=round(float(places[i, 0] + satellite[i, 0]), 5),
            longitude=round(float(places[i, 1] + satellite[i, 1]), 5),
        )


def sample_times(truck: TruckPlan) -> list[datetime]:
    """Times of the samples of a truck's logger."""
    count = int((truck.unloaded - truck.loading) / SAMPLE_INTERVAL) + 1
    return [truck.loading + i * SAMPLE_INTERVAL for i in range(count)]


def clock_messages(plan: FleetPlan) -> Iterator[Message]:
    """Clock messages: every hour of the plan, and the final one."""
    hour = plan.begin
    while hour < plan.end:
        yield clock_message(hour)
        hour += CLOCK_INTERVAL
    yield clock_message(plan.end, final=True)


def _test(
    kind: str,
    key: str,
    time: datetime,
    volts: Array,
    celsius: float,
    rest: float,
    random: np.random.Generator,
) -> Message:
    """The message of a test: the module's voltage is the sum of the readings of its cells."""
    return twin_message(
        kind,
        key,
        time,
        ocv=round(float(volts.sum()), 5),
        temperature=round(celsius + float(random.normal(0.0, 0.05)), 2),
        rest=round(rest, 3),
        cells={f"cell-{i + 1:02d}": {"voltage": float(value)} for i, value in enumerate(volts)},
    )
