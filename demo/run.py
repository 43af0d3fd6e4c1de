"""A case study, end to end, by the same commands that anybody would type.

It starts a broker, the model service, the case's own services and the fleet's server, each a process of its own,
replays the case through them, and serves the result until Ctrl-C.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..assembly import open_fleet
from ..errors import EnvironmentProblem, ServiceError, StoreError
from ..graphstore.fleets.fleet import FleetAccess
from ..graphstore.folder import is_held
from .case import Case
from .processes import Processes, begin_broker

QUIET_SECONDS: Final = 120
"""How long the replay may stand still before that is an error."""
AMQTT: Final = "amqtt"
MARK: Final = ".demo"
"""The file that marks a folder as a demo's, so that the next one may delete it."""


@dataclass(frozen=True)
class DemoSettings:
    """The choices of a person who runs a demo."""

    folder: Path
    out: Path
    port: int
    broker: str | None
    """A broker that runs already; None: one is started; ``amqtt``: that one is started."""
    chosen: Mapping[str, int]
    """The case's own options."""


@contextmanager
def stage(console: Console, name: str) -> Iterator[Callable[[float], None]]:
    """One stage: a bar on a terminal, plain lines elsewhere; the callback takes the part done, from 0 to 1."""
    begun = time.monotonic()
    if console.is_terminal:
        columns = (TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(name, total=1.0)
            yield lambda part: progress.update(task, completed=part)
            progress.update(task, completed=1.0)
        return
    console.out(f"{name} ...", highlight=False)
    shown = 0

    def tell(part: float) -> None:
        nonlocal shown
        if int(part * 4) > shown:
            shown = int(part * 4)
            console.out(f"  {shown * 25} %", highlight=False)

    yield tell
    console.out(f"{name}: {time.monotonic() - begun:.1f} s", highlight=False)


def run_demo(case: Case, settings: DemoSettings, leave: bool) -> None:
    """Run ``case``; without ``leave``, serve the result until Ctrl-C. Raises VoltwinError."""
    missing = [package for package in ("scipy", "matplotlib") if find_spec(package) is None]
    if missing:
        raise EnvironmentProblem(
            f"the demo needs {' and '.join(missing)}: pip install 'voltwin[demo]' brings all of it"
        )
    console = Console()
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever ends this ends all it started
        signal.signal(number, signal.default_int_handler)
    try:
        with Processes(settings.out / "logs") as processes:
            address = _run(console, processes, case, settings)
            if not leave:
                console.print(f"Serving on {address} until Ctrl-C.")
                processes.wait()
    except KeyboardInterrupt:
        console.print("stopped")


def _run(console: Console, processes: Processes, case: Case, settings: DemoSettings) -> str:
    folder, out = settings.folder, settings.out
    planned = case.plan(settings.chosen)
    _clear(folder)
    _clear(out)
    (out / "logs").mkdir(parents=True)
    (out / MARK).touch()
    with stage(console, "Convert the UML model") as tell:
        # Services start meanwhile: their time is that of imports.
        given = settings.broker
        broker = begin_broker(processes, out, given == AMQTT) if given in (None, AMQTT) else None
        services = {name: processes.begin(name, "simulate", name, "--port", 0) for name in case.services}
        services["models"] = processes.begin("models", "models", "serve", "--port", 0)
        description = out / f"{case.model.stem}.json"
        ontology, shapes = description.with_suffix(".ttl"), out / "shapes.ttl"
        processes.call("convert", case.model, "--description", description, "--owl", ontology, "--shacl", shapes)
        tell(0.5)
        processes.call("init", folder, description)
        (folder / MARK).touch()
    with stage(console, "Start broker, services and server"):
        url = broker.address() if broker else str(given)
        named = [word for name, item in services.items() for word in ("--service", f"{name}={item.address()}")]
        serve = ("serve", folder, "--port", settings.port, "--broker", url, "--clock", "replay", *named)
        address = processes.begin("server", *serve).address()
    options = [f"--{name}={value}" for name, value in settings.chosen.items()]
    simulation = ("simulate", "replay", "--broker", url, *options, "--as-fast-as-possible")
    with open_fleet(address) as fleet:
        with stage(console, planned.title) as tell:
            summary = json.loads(processes.call(*simulation, "--json", "--truth", out / "truth.json"))
            _follow(fleet, summary, tell)
        with stage(console, "Validate all twins with SHACL"):
            conforms = fleet.validate().conforms
        with stage(console, "Draw the figures"):
            figures = processes.call("report", "--fleet", address, "--out", out).split()
        results = planned.results(fleet)
        status = fleet.status()
        table = Table(show_header=False, title=case.title)
        for name, text in (
            ("twins", str(status["twins"])),
            ("messages", f"{status['messages']} stored, {status['deadLetters']} dead letters"),
            ("runs", f"{status['succeeded']} succeeded, {status['skipped']} skipped, {status['failed']} failed"),
            *results.rows,
            ("SHACL", "all twins conform" if conforms else "there are violations: voltwin validate"),
            ("figures", "\n".join(figures)),
            ("web page", address),
        ):
            table.add_row(name, text)
        console.print(table)
        if not results.complete or status["failed"] or not conforms:
            raise ServiceError(f"the case study is not complete, {status['failed']} runs failed; see {out / 'logs'}")
    return address


def _clear(folder: Path) -> None:
    """Delete a folder that an earlier demo made, and no other. Raises StoreError."""
    if not folder.exists():
        return
    if not (folder / MARK).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"{folder}: no demo made it, so it stays; choose other folders with --fleet and --out")
    if (folder / "fleet.json").is_file() and is_held(folder):
        raise StoreError(f"{folder}: another process serves it; stop that one, or choose another folder with --fleet")
    shutil.rmtree(folder)


def _follow(fleet: FleetAccess, summary: Mapping[str, Any], tell: Callable[[float], None]) -> None:
    """Wait until the server has taken in every message and carried out all that follows."""
    expected = sum(number for kind, number in summary["byKind"].items() if kind != "clock")
    moved, seen = time.monotonic(), (-1, -1)
    while True:
        status = fleet.status()
        done = status["messages"]
        if status["idle"] and done >= expected:
            return
        tell(done / expected)
        now = (done, status["commits"])
        if now != seen:
            moved, seen = time.monotonic(), now
        elif time.monotonic() - moved > QUIET_SECONDS:
            raise ServiceError(
                f"{done} of {expected} messages arrived, then nothing more; if the broker drops queued messages, "
                "raise its limit (mosquitto: max_queued_messages 0)"
            )
        time.sleep(0.25)
