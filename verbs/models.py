"""`voltwin models`: list the models, run one, serve them."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import click

from ..errors import InputError
from .grammar.options import PORT, fleet_given_option, json_option, meant_fleet


@click.group()
def models() -> None:
    """Models: list, describe and run them, serve them over REST, fit their parameters."""


_FILES = click.option(
    "--files",
    type=click.Path(path_type=Path),
    help="Folder with curves/, parameters/ and relaxations/ of your own.",
)


@models.command("list")
@_FILES
@json_option
def list_models(files: Path | None, as_json: bool) -> None:
    """Models with their ports, units and parameters."""
    from ..models.registry import Registry
    from ..models.service.requests import describe

    registry = Registry.discover(files)
    described = [describe(registry.get(name)) for name in registry.names()]
    if as_json:
        click.echo(json.dumps({"models": described}, indent=2))
        return
    for model in described:
        click.echo(f"{model['name']} {model['version']}: {model['description']}")
        for side in ("inputs", "outputs"):
            for port in model[side]:
                unit = f" {port['unit']}" if "unit" in port else ""
                optional = " (optional)" if port["optional"] else ""
                click.echo(f"  {side[:-1]:9} {port['name']} [{port['shape']}]{unit}{optional}: {port['description']}")
        for parameter in model["parameters"]:
            unit = f" {parameter['unit']}" if "unit" in parameter else ""
            click.echo(f"  parameter {parameter['name']} = {parameter['default']}{unit}: {parameter['description']}")


@models.command()
@_FILES
@click.argument("name")
@click.argument("request", type=click.File("r", encoding="utf-8"), default="-")
def run(files: Path | None, name: str, request: TextIO) -> None:
    """Answer a REQUEST (a JSON file, or - for standard input) with model NAME; the reply is JSON."""
    from ..models.registry import Registry
    from ..models.service.requests import answer

    reply = answer(Registry.discover(files), name, _read_json(request))
    click.echo(json.dumps(reply, indent=2))


def _read_json(file: TextIO) -> Any:
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file.name}: not JSON ({error})") from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


@models.command()
@_FILES
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8100, show_default=True, type=PORT, help="0: any free port.")
def serve(files: Path | None, host: str, port: int) -> None:
    """Serve the models over REST until stopped."""
    from ..api.http.server import WebServer
    from ..models.registry import Registry
    from ..models.service.app import service

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Ctrl-C is how it is meant to end.
    with suppress(KeyboardInterrupt), WebServer(service(Registry.discover(files)), host, port) as server:
        click.echo(f"models on {server.url}")
        sys.stdout.flush()
        threading.Event().wait()


@models.command()
@_FILES
@fleet_given_option
@click.option("--curve", help="Of a fleet: only the modules with this OCV curve.")
@click.option("--name", help="Name of the parameter set to write.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write that set to.")
@json_option
@click.argument("request", type=click.File("r", encoding="utf-8"), required=False)
@click.pass_context
def fit(
    ctx: click.Context,
    files: Path | None,
    fleet: str | None,
    curve: str | None,
    name: str | None,
    out: Path | None,
    as_json: bool,
    request: TextIO | None,
) -> None:
    """Estimate k25, activation energy and beta from a plant's own tests, with 95 % intervals.

    The tests come out of a fleet (as the view of its trade reads them), or out of REQUEST, JSON as the model
    takes it (a file, or - for standard input). What the data cannot tell is said, and keeps its start value.
    """
    from ..api.web.views import find_model_request
    from ..assembly import open_fleet
    from ..models.arrival_gate.model import ArrivalGateModel
    from ..models.calibration import fit as calibration
    from ..models.calibration import lots as charges

    if (name is None) != (out is None):
        raise click.UsageError("--name and --out go together")
    if fleet is not None and request is not None:
        raise click.UsageError("give either --fleet, or a REQUEST file (- for standard input)")
    if curve is not None and request is not None:
        raise click.UsageError("--curve goes with a fleet, not with a REQUEST")
    gate = ArrivalGateModel.shipped()
    gate = gate.with_files(files) if files else gate
    left_out: Mapping[str, str] = {}
    if request is not None:
        content = _read_json(request)
    else:
        with open_fleet(meant_fleet(ctx, fleet)) as opened:
            tests = find_model_request(opened, gate.name)(opened, curve)
        tests = tests.without(charges.defects(gate, tests.request))
        content, left_out = tests.request, tests.left_out
    charge, start = charges.read_lot(gate, content)
    found = calibration.fit(charge, start)
    if as_json:
        click.echo(json.dumps({**found.as_json(), "leftOut": left_out}, indent=2))
    else:
        for key, reason in left_out.items():
            click.echo(f"left out {key}: {reason}")
        click.echo(f"{found.modules} modules, reduced chi-square {found.reduced_chi_square:.2f}")
        for item in found.estimates:
            interval = "" if item.low is None else f" (95 %: {item.low:.4g} to {item.high:.4g})"
            click.echo(f"{item.name} {item.value:.4g} {item.unit}{interval}: {item.remark}")
    if name is not None and out is not None:
        _write(out, json.dumps(calibration.parameter_file(found, start, name), indent=2) + "\n")
        click.echo(f"wrote {out}", err=as_json)


@models.command()
@click.option("--out", default="docs/models", show_default=True, type=click.Path(file_okay=False, path_type=Path))
def pages(out: Path) -> None:
    """Write the plausibility page and the operating curve to a folder."""
    from ..models.evidence.pages import all_pages

    for name, text in all_pages().items():
        _write(out / name, text)
        click.echo(f"wrote {out / name}")
