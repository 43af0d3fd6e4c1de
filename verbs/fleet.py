"""`voltwin check` checks a model's design; `voltwin init` makes a fleet from it; `voltwin serve` runs or shows it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import click

from ..settings import Settings, parse_services
from .grammar.options import PORT, fleet_given_option, json_option, meant_folder, verb

END_SECONDS: Final = 4.5
"""The time for an orderly end after a signal."""


@verb()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--base", default="https://fleet.example/", show_default=True, help="What every IRI starts with.")
@click.option("--store", help="The engine of its triples: oxigraph (default), memory, or a SPARQL endpoint's URL.")
@click.option("--store-option", "options", multiple=True, metavar="NAME=VALUE", help="An option of that engine.")
def init(folder: Path, model: Path, base: str, store: str | None, options: tuple[str, ...]) -> None:
    """Create a fleet in FOLDER from MODEL. MODEL is a UML file or a JSON description.

    A SPARQL endpoint has options such as update=URL, graphs=URL and auth=digest; docs/stores.md has all of them.
    Credentials are read from environment variables.
    """
    from ..assembly import create_fleet
    from ..converter import convert
    from ..graphstore.engines.registry import choose_store

    chosen = choose_store(store, options)
    conversion = convert(model)
    create_fleet(folder, conversion, base, chosen)
    click.echo(f"{folder}: fleet made from {model.name}, base {base}")


@verb()
@click.argument("model", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def check(ctx: click.Context, model: Path, as_json: bool) -> None:
    """Check the whole design of MODEL: actions, rules, schedules, bindings, messages.

    All findings are printed at once. With an error the exit code is 2, and `init` would refuse MODEL; what only a
    running server must have (handlers, services) is a warning here.
    """
    from ..assembly import check_conversion
    from ..converter import convert

    findings = check_conversion(convert(model))
    errors = sum(finding.severity == "error" for finding in findings)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(f"{finding.severity} {finding.check}: {finding}")
        click.echo(f"{model.name}: {errors} errors, {len(findings) - errors} warnings")
    ctx.exit(2 if errors else 0)


@verb()
@click.argument("folder", required=False)
@click.option("--host", help="Address to answer on.")
@click.option("--port", type=PORT, help="Port to answer on; 0 takes a free one.")
@click.option("--allow-anonymous-writes", is_flag=True, default=None, help="Anyone who reaches --host may write.")
@click.option("--read-only", is_flag=True, default=None, help="Write nothing; FOLDER may be read-only, its disk full.")
@click.option("--broker", help="MQTT broker, mqtt://host:port; without one nothing is listened to and no action runs.")
@click.option("--moved", is_flag=True, default=None, help="The folder was moved here and is no copy; once is enough.")
@click.option("--service", "services", multiple=True, metavar="NAME=URL", help="Where {NAME} in an endpoint points.")
@click.option(
    "--allow-outgoing",
    multiple=True,
    metavar="ORIGIN",
    help="An address that the fleet's graph or a query may make the server ask: http://host:port.",
)
@click.option(
    "--limit", "limits", multiple=True, metavar="NAME=VALUE", help="A limit of what comes in: body-bytes=32M."
)
@click.option("--clock", type=click.Choice(["system", "replay"]), help="replay: time follows the messages.")
@click.option("--query-seconds", type=float, help="A SPARQL query is ended after this; 60.")
@click.option("--query-rows", type=int, help="Most rows of an answer; 1000000.")
@click.option("--query-bytes", type=int, help="Most bytes of an answer; 256 MiB.")
@click.option("--query-memory", type=int, help="Most bytes of memory that a query's process may hold; 2 GiB.")
@click.option("--query-readers", type=int, help="How many queries that may run long are worked on at once; 2.")
@fleet_given_option
@click.pass_context
def serve(
    ctx: click.Context,
    /,
    folder: str | None,
    services: tuple[str, ...],
    allow_outgoing: tuple[str, ...],
    limits: tuple[str, ...],
    fleet: str | None,
    **given: object,
) -> None:
    """Serve the fleet in FOLDER until Ctrl-C. That is web page, REST, SPARQL; with a broker, messages and actions too.

    FOLDER may be left out if --fleet or the current folder names the fleet.
    """
    from ..server import Server

    if folder and fleet:
        raise click.UsageError("give FOLDER or --fleet, not both")
    place = meant_folder(ctx, folder or fleet)

    chosen = {name: value for name, value in given.items() if value is not None}
    if services:
        chosen["services"] = parse_services(list(services))
    settings = replace(Settings.from_environment(os.environ), **chosen)  # type: ignore[arg-type]  # names and types match
    inputs = settings.inputs.changed(limits, allow_outgoing)
    settings = replace(settings, inputs=inputs)
    stop = threading.Event()

    def end(*_: object) -> None:
        # What is acknowledged is on disk: a process that cannot end in order may end at once.
        last = threading.Timer(END_SECONDS, os._exit, (0,))
        last.daemon = True
        last.start()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):  # before anything runs that would want an orderly end
        signal.signal(number, end)
    server = Server(place, settings)
    silence = "" if settings.broker else "; no --broker, so nothing is listened to and no action runs"
    click.echo(f"{place}: serving on {server.start()}{silence}{_access(settings)}")
    for warning in server.warnings:
        click.echo(f"warning: {warning}", err=True)
    try:
        while not stop.wait(0.5) and not server.join(0):
            pass
    finally:
        server.stop()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.stdout.flush()
        os._exit(0)  # a request that is still being answered would be waited for


def _access(settings: Settings) -> str:
    """A sentence on who may write, where others than this machine reach the server."""
    if settings.loopback:
        return ""
    if settings.allow_anonymous_writes:
        return f"; WARNING: anyone who reaches {settings.host} may write without a key (--allow-anonymous-writes)"
    return "; writes are refused (no key; --allow-anonymous-writes would accept them)"
