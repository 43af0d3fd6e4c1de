"""`voltwin simulate` replays a charge of modules; `voltwin weather` answers what it was like outside."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..errors import InputError
from ..simulator.messages import Message
from ..simulator.pace import paced
from ..simulator.plan import ReplaySettings, plan_fleet
from ..simulator.publisher import Broker, publish
from ..simulator.replay import Summary, Tally, message_count, replay, truth
from ..simulator.weather import weather_server

Advance = Callable[[int], None]

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--broker", default="mqtt://127.0.0.1:1883", show_default=True, help="MQTT broker, mqtt://host:port.")
@click.option("--modules", default=181, show_default=True, help="How many battery modules.")
@click.option("--cells", default=12, show_default=True, help="Cells in series in a module.")
@click.option("--seed", default=2019, show_default=True, help="The same seed gives the same messages.")
@click.option("--leaky", default=2, show_default=True, help="Modules with one leaky cell.")
@click.option("--acceleration", default=3600.0, show_default=True, help="Simulated seconds a second.")
@click.option("--as-fast-as-possible", is_flag=True, help="Do not wait between messages.")
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="Also write the messages, JSON Lines.")
@click.option(
    "--truth",
    "truth_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what is true and never sent, JSON.",
)
@click.option("--dry-run", is_flag=True, help="Send nothing; needs no broker.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def simulate(
    broker: str,
    modules: int,
    cells: int,
    seed: int,
    leaky: int,
    acceleration: float,
    as_fast_as_possible: bool,
    record: Path | None,
    truth_file: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Replay one charge of battery modules as MQTT messages, from birth to arrival test."""
    plan = plan_fleet(ReplaySettings(modules, cells, seed, leaky))
    address = Broker.parse(broker)
    if truth_file is not None:
        with _writing(truth_file) as file:
            json.dump(truth(plan), file, indent=2)
            file.write("\n")
    tally = Tally()
    with (
        _writing(record) if record else nullcontext() as file,
        _progress(message_count(plan)) as advance,
    ):
        messages: Iterable[Message] = _noted(replay(plan), tally, file)
        if dry_run:
            for sent, _ in enumerate(messages, start=1):
                advance(sent)
        else:
            timed = messages if as_fast_as_possible else paced(messages, acceleration)
            publish(timed, address, progress=advance)
    _report(tally.summary(), as_json)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8085, show_default=True, help="Port to listen on; 0 takes a free one.")
def weather(host: str, port: int) -> None:
    """Serve the weather of the replay over HTTP until interrupted."""
    with weather_server(host, port) as server:
        click.echo(f"weather on http://{host}:{server.server_port}/weather?time=2019-04-11T06:00:00Z")
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
            server.serve_forever()


def _noted(messages: Iterator[Message], tally: Tally, file: TextIO | None) -> Iterator[Message]:
    for message in messages:
        tally.add(message)
        if file is not None:
            file.write(message.record())
        yield message


@contextmanager
def _writing(path: Path) -> Iterator[TextIO]:
    try:
        file = path.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another file") from error
    with file:
        yield file


def _progress(total: int) -> AbstractContextManager[Advance]:
    return _bar(total) if sys.stderr.isatty() else _lines(total)


@contextmanager
def _bar(total: int) -> Iterator[Advance]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("messages", total=total)
        yield lambda sent: bar.update(task, completed=sent)


@contextmanager
def _lines(total: int) -> Iterator[Advance]:
    marks = {-(-total * tenth // 10) for tenth in range(1, 11)}

    def advance(sent: int) -> None:
        if sent in marks:
            click.echo(f"{sent} of {total} messages", err=True)

    yield advance


def _report(summary: Summary, as_json: bool) -> None:
    values = summary.as_json()
    if as_json:
        click.echo(json.dumps(values))
        return
    for kind, count in summary.by_kind.items():
        click.echo(f"{kind:18} {count:6}")
    click.echo(f"{'together':18} {summary.messages:6}")
    click.echo(f"from {values['from']} to {values['to']}, {values['hours']:.1f} h")
