"""The whole replay: every message of a plan in order of time, a summary, and the hidden truth.

>>> from voltwin.simulator.plan import ReplaySettings, plan_fleet
>>> plan = plan_fleet(ReplaySettings(modules=1, leaky=0))
>>> messages = list(replay(plan))
>>> len(messages) == message_count(plan)
True
>>> messages[-1].body["final"]
True
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from .journey import World, clock_messages, module_messages, module_truth, sample_times, truck_messages
from .messages import Message, timestamp
from .physics import HOURS_PER_MONTH
from .plan import CLOCK_INTERVAL, FleetPlan

MESSAGES_PER_MODULE: Final = 9


def replay(plan: FleetPlan) -> Iterator[Message]:
    """Every message in order of time, ties by topic; the same plan gives the same bytes."""
    world = World.of(plan)
    streams: list[Iterable[Message]] = [clock_messages(plan)]
    streams += [truck_messages(world, truck) for truck in plan.trucks]
    streams += [module_messages(world, module) for module in plan.modules]
    return heapq.merge(*streams, key=lambda message: message.order)


def message_count(plan: FleetPlan) -> int:
    """Number of messages of ``replay(plan)``, without creating them."""
    hours = -(-(plan.end - plan.begin) // CLOCK_INTERVAL)
    samples = sum(len(sample_times(truck)) for truck in plan.trucks)
    return MESSAGES_PER_MODULE * len(plan.modules) + samples + hours + 1


@dataclass(frozen=True, slots=True)
class Summary:
    """Messages sent, by kind, and the span of simulated time."""

    by_kind: dict[str, int]
    begin: datetime
    end: datetime

    @property
    def messages(self) -> int:
        """Number of messages of all kinds."""
        return sum(self.by_kind.values())

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "messages": self.messages,
            "byKind": self.by_kind,
            "from": timestamp(self.begin),
            "to": timestamp(self.end),
            "hours": (self.end - self.begin) / timedelta(hours=1),
        }


class Tally:
    """A running count of messages.

    >>> tally = Tally()
    >>> tally.add(Message("clock", "voltwin/clock", datetime.fromisoformat("2019-04-10T12:00:00Z"), {}))
    >>> tally.summary().messages
    1
    """

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._times: tuple[datetime, datetime] | None = None

    def add(self, message: Message) -> None:
        """Count one message."""
        self._kinds[message.kind] += 1
        self._times = (self._times[0] if self._times else message.time, message.time)

    def summary(self) -> Summary:
        """The messages counted so far, of which there must be at least one."""
        if self._times is None:
            raise ValueError("nothing was counted yet")
        return Summary(dict(sorted(self._kinds.items())), *self._times)


def truth(plan: FleetPlan) -> dict[str, Any]:
    """The true values that are never sent, as JSON values: the reference for the backend's estimates.

    Planted leaks, true states of charge (%), true temperatures (°C), equivalent ages (h at 25 °C), and the
    deviations of the store rooms from their set points (K).
    """
    world = World.of(plan)
    leaks = []
    modules = {}
    for module in plan.modules:
        state = module_truth(world, module)
        modules[module.key] = {
            "truck": module.truck,
            "ageHours": module.age / timedelta(hours=1),
            "equivalentAgeHours": round(state.equivalent_hours, 6),
            "lowestTemperature": round(state.lowest, 3),
            "arrivalTemperature": round(state.at_arrival, 3),
            "endOfLineStateOfCharge": [round(100.0 * float(value), 6) for value in state.cells.soc],
            "arrivalStateOfCharge": [round(100.0 * float(value), 6) for value in state.arrival_soc],
            "ratePercentPerMonth": [round(100.0 * HOURS_PER_MONTH * float(value), 6) for value in state.cells.rate],
        }
        if module.index in world.leaks:
            cell, drop = world.leaks[module.index]
            leaks.append(
                {
                    "module": module.key,
                    "cell": f"cell-{cell + 1:02d}",
                    "leakMicroampere": round(1e6 * float(state.cells.leak[cell]), 3),
                    "voltageDropMillivolt": 1000.0 * drop,
                }
            )
    settings = plan.settings
    return {
        "seed": settings.seed,
        "leakyCells": leaks,
        "storageDeviationKelvin": {
            "storage-cell-plant": round(world.deviations.outbound, 4),
            "storage-system-plant": round(world.deviations.inbound, 4),
        },
        "modules": modules,
    }
