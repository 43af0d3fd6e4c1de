"""`voltwin init` makes a fleet from a model; `voltwin serve` runs it."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import click

from ..settings import Settings, parse_services


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--base", default="https://fleet.example/", show_default=True, help="What every IRI starts with.")
@click.option("--store", help="The engine of its triples: oxigraph (default), memory, or a SPARQL endpoint's URL.")
@click.option("--store-option", "options", multiple=True, metavar="NAME=VALUE", help="An option of that engine.")
def init(folder: Path, model: Path, base: str, store: str | None, options: tuple[str, ...]) -> None:
    """Make a fleet in FOLDER from MODEL (a UML file or a JSON description).

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


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--host", help="Address to answer on.")
@click.option("--port", type=int, help="Port to answer on; 0 takes a free one.")
@click.option("--broker", help="MQTT broker, mqtt://host:port.")
@click.option("--service", "services", multiple=True, metavar="NAME=URL", help="Where {NAME} in an endpoint points.")
@click.option("--clock", type=click.Choice(["system", "replay"]), help="replay: time follows the messages.")
@click.option("--query-seconds", type=float, help="A SPARQL query is ended after this; 60.")
@click.option("--query-rows", type=int, help="Most rows of an answer; 1000000.")
@click.option("--query-bytes", type=int, help="Most bytes of an answer; 256 MiB.")
@click.option("--query-memory", type=int, help="Most bytes of memory that a query's process may hold; 2 GiB.")
@click.option("--query-readers", type=int, help="How many queries that may run long are worked on at once; 2.")
def serve(folder: Path, services: tuple[str, ...], **given: object) -> None:
    """Run the fleet in FOLDER: take messages in, carry actions out, answer REST and SPARQL. Ends on Ctrl-C."""
    from ..server import Server

    chosen = {name: value for name, value in given.items() if value is not None}
    if services:
        chosen["services"] = parse_services(list(services))
    settings = replace(Settings.from_environment(os.environ), **chosen)  # type: ignore[arg-type]  # names and types match
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # before anything runs that would want an orderly end
        signal.signal(number, lambda *_: stop.set())
    server = Server(folder, settings)
    click.echo(f"{folder}: serving on {server.start()}")
    try:
        while not stop.is_set() and not server.join(0.5):
            pass
    finally:
        server.stop()
