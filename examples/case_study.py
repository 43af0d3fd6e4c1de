"""The paper's case study, end to end, by the same commands that anybody would type.

``make demo`` runs this. It starts a broker, the model service, a weather service and the fleet's server,
each a process of its own, replays one charge of 181 modules through them, and serves the result until Ctrl-C.

    python examples/case_study.py [--exit] [--modules 181] [--port 8000] [--broker mqtt://host:port]
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
from processes import Processes, start_broker
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from voltwin import VoltwinError, open_fleet
from voltwin.errors import ServiceError, StoreError
from voltwin.graphstore.fleets.fleet import FleetAccess

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "ontology" / "models" / "battery_logistics.mdj"
QUIET_SECONDS = 120
"""How long the replay may stand still before that is an error."""

TOTALS = """
PREFIX product: <https://w3id.org/voltwin/models/battery-logistics/product#>
PREFIX logistics: <https://w3id.org/voltwin/models/battery-logistics/logistics#>
SELECT (COUNT(?module) AS ?modules) (COUNT(?soc) AS ?withSoc) (COUNT(?loss) AS ?withLoss) (COUNT(?decision) AS ?decided)
       (MIN(?loss) AS ?lowest) (MAX(?loss) AS ?highest) WHERE {
  ?module a product:Module .
  OPTIONAL { ?module product:Module.stateOfCharge ?soc }
  OPTIONAL { ?module product:Module.arrivalTest/logistics:ArrivalTest.loss ?loss }
  OPTIONAL { ?module product:Module.arrivalTest/logistics:ArrivalTest.decision ?decision }
}"""


class Stages:
    """Shows each stage: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[float], None]]:
        """One stage; the callback takes the part done, from 0 to 1."""
        begun = time.monotonic()
        if self.console.is_terminal:
            columns = (TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn())
            with Progress(*columns, console=self.console) as progress:
                task = progress.add_task(name, total=1.0)
                yield lambda part: progress.update(task, completed=part)
                progress.update(task, completed=1.0)
            return
        print(f"{name} ...", flush=True)
        shown = 0

        def tell(part: float) -> None:
            nonlocal shown
            if int(part * 4) > shown:
                shown = int(part * 4)
                print(f"  {shown * 25} %", flush=True)

        yield tell
        print(f"{name}: {time.monotonic() - begun:.1f} s", flush=True)


@click.command()
@click.option("--exit", "leave", is_flag=True, help="Stop by itself at the end instead of serving until Ctrl-C.")
@click.option("--modules", default=181, show_default=True, help="How many modules the charge has.")
@click.option("--seed", default=2019, show_default=True, help="The same seed gives the same numbers.")
@click.option("--port", default=8000, show_default=True, help="Port of the web page.")
@click.option("--broker", help="An MQTT broker that runs already; without it one is started.")
@click.option("--fleet", "folder", default="demo-fleet", show_default=True, type=click.Path(path_type=Path))
@click.option("--out", default="out", show_default=True, type=click.Path(path_type=Path), help="Where figures go.")
def main(leave: bool, modules: int, seed: int, port: int, broker: str | None, folder: Path, out: Path) -> None:
    """Run the case study of Merkle (2019) on real parts."""
    console = Console()
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever ends this ends all it started
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            processes = stack.enter_context(Processes(out / "logs"))
            address = run(Stages(console), processes, modules, seed, port, broker, folder, out)
            if not leave:
                console.print(f"Serving on {address} until Ctrl-C.")
                processes.wait()
    except VoltwinError as error:
        sys.exit(f"case study: {error}")
    except KeyboardInterrupt:
        console.print("stopped")


def run(
    stages: Stages,
    processes: Processes,
    modules: int,
    seed: int,
    port: int,
    broker: str | None,
    folder: Path,
    out: Path,
) -> str:
    """All stages; returns the address of the web page."""
    clear(folder, out)
    with stages.stage("Convert the UML model") as tell:
        description = out / "battery_logistics.json"
        outputs = ["--json", description, "--owl", out / "battery_logistics.ttl", "--shacl", out / "shapes.ttl"]
        processes.call("convert", MODEL, *outputs)
        tell(0.5)
        processes.call("init", folder, description)
    with stages.stage("Start broker, services and server") as tell:
        broker = broker or start_broker(processes, out)
        services = {
            "models": processes.serve("models", "serve", "--port", 0),
            "weather": processes.serve("weather", "--port", 0),
        }
        tell(0.5)
        named = [part for name, url in services.items() for part in ("--service", f"{name}={url}")]
        address = processes.serve("serve", folder, "--port", port, "--broker", broker, "--clock", "replay", *named)
    simulation = [
        "simulate",
        "--broker",
        broker,
        "--modules",
        modules,
        "--seed",
        seed,
        "--json",
        "--as-fast-as-possible",
    ]
    with open_fleet(address) as fleet:
        with stages.stage(f"Replay one charge of {modules} modules") as tell:
            summary = json.loads(processes.call(*simulation, "--json", "--truth", out / "truth.json"))
            follow(fleet, summary, tell)
        with stages.stage("Validate all twins with SHACL"):
            report = fleet.validate()
        with stages.stage("Draw the figures") as tell:
            files = processes.call("report", address, "--out", out).split()
        show(stages.console, fleet, report.conforms, files, modules, address)
    return address


def clear(folder: Path, out: Path) -> None:
    """Start clean; only what an earlier run made is removed."""
    if folder.exists() and not (folder / "fleet.json").is_file():
        raise StoreError(f"{folder}: is there and is no fleet; move it away or choose another folder with --fleet")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(out, ignore_errors=True)
    (out / "logs").mkdir(parents=True)


def follow(fleet: FleetAccess, summary: dict[str, Any], tell: Callable[[float], None]) -> None:
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


def show(console: Console, fleet: FleetAccess, conforms: bool, files: list[str], modules: int, address: str) -> None:
    """The short table at the end. Raises ServiceError where a module lacks a result."""
    answer = json.loads(fleet.query(TOTALS, "application/sparql-results+json").body)
    row = {name: float(term["value"]) for name, term in answer["results"]["bindings"][0].items()}
    decisions = [str(item.value) for item in fleet.all("/*/arrivalTest/decision")]
    rejected = [item.path.split("/")[1] for item in fleet.all("/*/arrivalTest/decision") if item.value == "REJECT"]
    ages = [value["age"] for value in ages_of(fleet)]
    status = fleet.status()
    table = Table(show_header=False, title="One charge of battery modules")
    for name, text in (
        ("twins", f"{status['twins']}, of them {row['modules']:.0f} modules"),
        ("messages", f"{status['messages']} taken in, {status['deadLetters']} put aside"),
        ("runs", f"{status['succeeded']} succeeded, {status['skipped']} skipped, {status['failed']} failed"),
        ("ages at arrival", f"{min(ages):.0f} to {max(ages):.0f} h"),
        ("self-discharge", f"{row['lowest']:.4f} to {row['highest']:.4f} % of the state of charge"),
        ("decisions", ", ".join(f"{decisions.count(word)} {word}" for word in sorted(set(decisions)))),
        ("rejected", ", ".join(rejected) or "none"),
        ("SHACL", "all twins conform" if conforms else "there are violations: voltwin validate"),
        ("figures", "\n".join(files)),
        ("web page", address),
    ):
        table.add_row(name, text)
    console.print(table)
    complete = all(row[name] == modules for name in ("modules", "withSoc", "withLoss", "decided"))
    if not complete or status["failed"] or not conforms:
        raise ServiceError(f"the case study is not complete: {row}, {status['failed']} runs failed; see out/logs")


def ages_of(fleet: FleetAccess) -> list[dict[str, float]]:
    """Hours from end-of-line test to arrival test, per module."""
    begun = {item.path.split("/")[1]: item.value for item in fleet.all("/*/endOfLineTest/performedAt")}
    ended = {item.path.split("/")[1]: item.value for item in fleet.all("/*/arrivalTest/performedAt")}
    return [{"age": (ended[key] - begun[key]).total_seconds() / 3600} for key in ended]


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as problem:
        sys.exit(f"case study: {problem}")
