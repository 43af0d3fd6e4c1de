"""`voltwin simulate`: the world outside a fleet, as the case study that is installed has it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..demo.case import find_case
from ..errors import InputError
from ..simulator.messages import Message
from ..simulator.pace import paced
from ..simulator.publisher import Broker, publish
from ..simulator.replay import Summary, Tally
from .grammar.case_options import CaseVerb
from .grammar.options import PORT, Verb, json_option

Advance = Callable[[int], None]

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


class _Services(click.Group):
    """Beside its own verbs one for each service of the case that is installed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *sorted(find_case(os.environ).services)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        return own or (_service(cmd_name) if cmd_name in find_case(os.environ).services else None)


@click.group(cls=_Services)
def simulate() -> None:
    """Replay a case study's messages. Or serve what its actions ask."""


@simulate.command("replay", cls=CaseVerb)
@click.option("--broker", default="mqtt://127.0.0.1:1883", show_default=True, help="MQTT broker, mqtt://host:port.")
@click.option("--acceleration", default=3600.0, show_default=True, help="Simulated seconds a second.")
@click.option("--as-fast-as-possible", is_flag=True, help="Do not wait between messages.")
@click.option("--record", type=_FILE, help="Also write the messages, JSON Lines.")
@click.option("--truth", "truth_file", type=_FILE, help="Write what is true and never sent, JSON.")
@click.option("--dry-run", is_flag=True, help="Send nothing; needs no broker.")
@json_option
def replay(
    broker: str,
    acceleration: float,
    as_fast_as_possible: bool,
    record: Path | None,
    truth_file: Path | None,
    dry_run: bool,
    as_json: bool,
    **chosen: int,
) -> None:
    """Replay the case study's messages to an MQTT broker, in order of time."""
    planned = find_case(os.environ).plan(chosen)
    address = Broker.parse(broker)
    if truth_file is not None:
        with _writing(truth_file) as file:
            json.dump(planned.truth(), file, indent=2)
            file.write("\n")
    tally = Tally()
    with (
        _writing(record) if record else nullcontext() as file,
        _progress(planned.count) as advance,
    ):
        messages: Iterable[Message] = _noted(planned.messages(), tally, file)
        if dry_run:
            for sent, _ in enumerate(messages, start=1):
                advance(sent)
        else:
            timed = messages if as_fast_as_possible else paced(messages, acceleration)
            publish(timed, address, progress=advance)
    _report(tally.summary(), as_json)


def _service(name: str) -> click.Command:
    def serve(host: str, port: int) -> None:
        service = find_case(os.environ).services[name]
        with service.start(host, port) as server:
            click.echo(f"{name} on http://{host}:{server.server_port}/{service.example}")
            sys.stdout.flush()
            with suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
                server.serve_forever()

    options: list[click.Parameter] = [
        click.Option(["--host"], default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.Option(["--port"], type=PORT, default=8085, show_default=True, help="0 takes a free one."),
    ]
    return Verb(name, params=options, callback=serve, help=f"Serve the case study's {name} over HTTP until Ctrl-C.")


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
