"""The plan of one lot of modules: production, storage, transport and tests, before anything is measured.

>>> plan = plan_fleet(ReplaySettings())
>>> len(plan.modules), [truck.key for truck in plan.trucks]
(181, ['truck-01', 'truck-02', 'truck-03', 'truck-04'])
>>> ages = [module.age.total_seconds() / 3600 for module in plan.modules]
>>> min(ages), max(ages)
(250.0, 300.0)

A module is produced at the cell and module manufacturer, tested at the end of the line (EOL), stored there,
transported to the system manufacturer, stored again, and tested again. The trucks leave four hours apart on
fixed days: their weather is measured, so the dates are part of the data and do not depend on the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from ..errors import InputError
from .physics import SECONDS_PER_HOUR
from .route import AVERAGE_SPEED, WROCLAW_TO_PARIS, DrivingLeg, driving_schedule, length

FIRST_LOADING: Final = datetime(2019, 4, 10, 6, tzinfo=UTC)
"""Start of loading of the first truck, chosen so that the cold nights of the trace are during the trip."""

TRUCK_INTERVAL: Final = timedelta(hours=4)
LOADING: Final = timedelta(minutes=30)
SOAK: Final = timedelta(hours=40)
TESTING: Final = timedelta(hours=3)
YOUNGEST: Final = timedelta(hours=250)
OLDEST: Final = timedelta(hours=300)
SAMPLE_INTERVAL: Final = timedelta(minutes=5)
CLOCK_INTERVAL: Final = timedelta(hours=1)
CLOCK_TAIL: Final = timedelta(hours=12)

MODULES_PER_TRUCK: Final = 100
USUAL_TRUCKS: Final = 4
MOST_MODULES: Final = 10_000
"""More would have trucks on the road after the end of the weather trace."""

CELL_PLANT: Final = "storage-cell-plant"
SYSTEM_PLANT: Final = "storage-system-plant"

_BIRTH_BEFORE_TEST: Final = timedelta(hours=7)
_INTO_STORAGE: Final = timedelta(minutes=20)
_FORKLIFT: Final = timedelta(minutes=5)
_OUT_OF_STORAGE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """Settings of a replay: number of modules, cells in series in each, seed, modules with a leaky cell."""

    modules: int = 181
    cells: int = 12
    seed: int = 2019
    leaky: int = 2

    def __post_init__(self) -> None:
        _within("modules", self.modules, 1, MOST_MODULES)
        _within("cells", self.cells, 1, 99)
        _within("seed", self.seed, 0, 2**63 - 1)
        _within("leaky", self.leaky, 0, self.modules)


@dataclass(frozen=True, slots=True)
class TruckPlan:
    """One trip: loading, driving, unloading; ``schedule`` in hours from ``departure``."""

    key: str
    loading: datetime
    departure: datetime
    arrival: datetime
    unloaded: datetime
    schedule: tuple[DrivingLeg, ...]


@dataclass(frozen=True, slots=True)
class ModulePlan:
    """One module's life from birth to the arrival test; all times UTC, whole seconds."""

    index: int
    key: str
    truck: str
    birth: datetime
    end_of_line: datetime
    stored_outbound: datetime
    fetched_outbound: datetime
    loaded: datetime
    unloaded: datetime
    stored_inbound: datetime
    fetched_inbound: datetime
    arrival_test: datetime

    @property
    def age(self) -> timedelta:
        """Time from the end-of-line test to the arrival test."""
        return self.arrival_test - self.end_of_line


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The plan of all modules and trucks, in order of production."""

    settings: ReplaySettings
    modules: tuple[ModulePlan, ...]
    trucks: tuple[TruckPlan, ...]

    @property
    def begin(self) -> datetime:
        """The time of the first clock message: the full hour before the first birth."""
        return min(module.birth for module in self.modules).replace(minute=0, second=0)

    @property
    def end(self) -> datetime:
        """The time of the last clock message: half a day after the last arrival test."""
        return max(module.arrival_test for module in self.modules) + CLOCK_TAIL


def plan_fleet(settings: ReplaySettings) -> FleetPlan:
    """The plan for ``settings``; the same settings give the same plan.

    Modules are numbered in order of production and loaded in that order. The oldest is 300 h old at its
    arrival test and the youngest 250 h; a single module is the oldest. There are four trucks (fewer for
    fewer than four modules, more if a truck would have more than 100).
    """
    count = settings.modules
    wanted = max(USUAL_TRUCKS, -(-count // MODULES_PER_TRUCK))
    truck_count = min(wanted, count)
    trucks = tuple(_truck(number) for number in range(truck_count))
    loads = np.array_split(np.arange(count), truck_count)
    ages = _ages(settings)
    modules: list[ModulePlan] = []
    for truck, load in zip(trucks, loads, strict=True):
        for place, index in enumerate(load.tolist()):
            modules.append(_module(index, place, len(load), truck, ages[index]))
    return FleetPlan(settings, tuple(modules), trucks)


def _truck(number: int) -> TruckPlan:
    schedule = driving_schedule(length(WROCLAW_TO_PARIS) / AVERAGE_SPEED)
    loading = FIRST_LOADING + number * TRUCK_INTERVAL
    departure = loading + LOADING
    arrival = departure + _whole_seconds(schedule[-1].end * SECONDS_PER_HOUR)
    return TruckPlan(f"truck-{number + 1:02d}", loading, departure, arrival, arrival + LOADING, schedule)


def _module(index: int, place: int, load: int, truck: TruckPlan, age: timedelta) -> ModulePlan:
    handling = _whole_seconds(LOADING.total_seconds() * (place + 1) / (load + 1))
    test = truck.unloaded + SOAK + _whole_seconds(TESTING.total_seconds() * (place + 0.5) / load)
    loaded = truck.loading + handling
    unloaded = truck.arrival + handling
    return ModulePlan(
        index=index,
        key=f"module-{index + 1:04d}",
        truck=truck.key,
        birth=test - age - _BIRTH_BEFORE_TEST,
        end_of_line=test - age,
        stored_outbound=test - age + _INTO_STORAGE,
        fetched_outbound=loaded - _FORKLIFT,
        loaded=loaded,
        unloaded=unloaded,
        stored_inbound=unloaded + _FORKLIFT,
        fetched_inbound=test - _OUT_OF_STORAGE,
        arrival_test=test,
    )


def _ages(settings: ReplaySettings) -> tuple[timedelta, ...]:
    """Ages from the oldest to the youngest: evenly spaced, with a jitter that keeps their order."""
    count = settings.modules
    if count == 1:
        return (OLDEST,)
    random = np.random.default_rng([settings.seed, 0])
    step = (OLDEST - YOUNGEST).total_seconds() / (count - 1)
    jitter = random.uniform(-0.3, 0.3, size=count) * step
    jitter[0] = jitter[-1] = 0.0
    return tuple(OLDEST - _whole_seconds(position * step + float(jitter[position])) for position in range(count))


def _whole_seconds(seconds: float) -> timedelta:
    return timedelta(seconds=round(seconds))


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"{name} = {value}: must be a whole number from {low} to {high}")
