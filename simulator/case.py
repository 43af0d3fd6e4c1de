"""The paper's case study as one object: model, choices, replay, services and the results to look at.

The entry point group ``voltwin.cases`` names it; ``voltwin demo`` and ``voltwin simulate`` know no other case.

>>> [option.name for option in CASE.options]
['modules', 'cells', 'seed', 'leaky']
>>> CASE.plan({"modules": 2}).count
1079
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.server import ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Protocol

from .messages import Message
from .plan import FleetPlan, ReplaySettings, plan_fleet
from .replay import message_count, replay, truth
from .weather import weather_server

_TOTALS: Final = """
PREFIX product: <https://w3id.org/voltwin/models/battery-logistics/product#>
PREFIX logistics: <https://w3id.org/voltwin/models/battery-logistics/logistics#>
SELECT (COUNT(?module) AS ?modules) (COUNT(?soc) AS ?withSoc) (COUNT(?loss) AS ?withLoss) (COUNT(?decision) AS ?decided)
       (MIN(?loss) AS ?lowest) (MAX(?loss) AS ?highest) WHERE {
  ?module a product:Module .
  OPTIONAL { ?module product:Module.stateOfCharge ?soc }
  OPTIONAL { ?module product:Module.arrivalTest/logistics:ArrivalTest.loss ?loss }
  OPTIONAL { ?module product:Module.arrivalTest/logistics:ArrivalTest.decision ?decision }
}"""


class _Answer(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def value(self) -> Any: ...


class _Table(Protocol):
    @property
    def body(self) -> bytes: ...


class _Fleet(Protocol):
    """The part of the access interface that the results are read by."""

    def all(self, path: str) -> Sequence[_Answer]: ...

    def query(self, text: str, accept: str | None = None) -> _Table: ...


@dataclass(frozen=True, slots=True)
class CaseOption:
    """A whole number that a person may choose."""

    name: str
    default: int
    help: str


@dataclass(frozen=True, slots=True)
class OutsideService:
    """A service of the outside world, and a path to try it by."""

    start: Callable[[str, int], ThreadingHTTPServer]
    example: str


@dataclass(frozen=True, slots=True)
class CaseResults:
    """Lines of name and text for people, and whether every module has all its results."""

    rows: tuple[tuple[str, str], ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class CaseReplay:
    """One planned replay."""

    title: str
    plan: FleetPlan
    count: int

    def messages(self) -> Iterator[Message]:
        """Every message in order of time."""
        return replay(self.plan)

    def truth(self) -> dict[str, Any]:
        """The ground truth, which is never sent, as JSON values."""
        return truth(self.plan)

    def results(self, fleet: _Fleet) -> CaseResults:
        """The results that the fleet has once the replay is through."""
        answer = json.loads(fleet.query(_TOTALS, "application/sparql-results+json").body)
        row = {name: float(term["value"]) for name, term in answer["results"]["bindings"][0].items()}
        decisions = {_twin(item): str(item.value) for item in fleet.all("/*/arrivalTest/decision")}
        rejected = [key for key, decision in decisions.items() if decision == "REJECT"]
        words = sorted(set(decisions.values()))
        wanted = len(self.plan.modules)
        complete = all(row[name] == wanted for name in ("modules", "withSoc", "withLoss", "decided"))
        if not complete:
            found = ", ".join(f"{name} {row[name]:.0f}" for name in ("modules", "withSoc", "withLoss", "decided"))
            return CaseResults((("results", f"{found} of {wanted}"),), complete=False)
        ages = _ages(fleet)
        rows = (
            ("modules", f"{row['modules']:.0f}"),
            ("ages at arrival", f"{min(ages):.0f} to {max(ages):.0f} h"),
            ("self-discharge", f"{row['lowest']:.4f} to {row['highest']:.4f} % of the state of charge"),
            ("decisions", ", ".join(f"{list(decisions.values()).count(word)} {word}" for word in words)),
            ("rejected", ", ".join(rejected) or "none"),
        )
        return CaseResults(rows, complete=True)


def _twin(answer: _Answer) -> str:
    return answer.path.split("/")[1]


def _ages(fleet: _Fleet) -> list[float]:
    """Hours from end-of-line test to arrival test, one a module."""
    begun: dict[str, datetime] = {_twin(item): item.value for item in fleet.all("/*/endOfLineTest/performedAt")}
    arrived = fleet.all("/*/arrivalTest/performedAt")
    return [(item.value - begun[_twin(item)]).total_seconds() / 3600 for item in arrived]


@dataclass(frozen=True)
class BatteryLogistics:
    """Modules on their way from the cell plant to the system plant (Merkle 2019)."""

    title: str
    options: tuple[CaseOption, ...]
    services: Mapping[str, OutsideService]
    """Services of the case's own actions, by the name in their endpoints; the models' service is part of voltwin."""

    @property
    def model(self) -> Path:
        """The UML model."""
        return Path(str(files("voltwin.ontology").joinpath("models", "battery_logistics.mdj")))

    def plan(self, chosen: Mapping[str, int]) -> CaseReplay:
        """Plan the replay; options that are not chosen have their defaults. Raises InputError."""
        plan = plan_fleet(ReplaySettings(**chosen))
        return CaseReplay(f"Replay a lot of {len(plan.modules)} modules", plan, message_count(plan))


_USUAL: Final = ReplaySettings()
CASE: Final = BatteryLogistics(
    title="One lot of battery modules",
    options=(
        CaseOption("modules", _USUAL.modules, "How many battery modules."),
        CaseOption("cells", _USUAL.cells, "Cells in series in a module."),
        CaseOption("seed", _USUAL.seed, "The same seed gives the same messages."),
        CaseOption("leaky", _USUAL.leaky, "Modules with one leaky cell."),
    ),
    services={"weather": OutsideService(weather_server, "weather?time=2019-04-11T06:00:00Z")},
)
