"""`voltwin models`: list the models, run one, serve them."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

import click

from ..errors import EnvironmentProblem, InputError


@click.group()
def models() -> None:
    """Physics: OCV to state of charge, self-discharge, the arrival gate."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Everything about every port, for scripts.")
def list_models(as_json: bool) -> None:
    """Models with their ports, units and parameters."""
    from ..models.handler import describe
    from ..models.registry import Registry

    registry = Registry.discover()
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
@click.argument("name")
@click.argument("request", type=click.File("r", encoding="utf-8"), default="-")
def run(name: str, request: TextIO) -> None:
    """Answer a REQUEST (a JSON file, or - for standard input) with model NAME; the reply is JSON."""
    from ..models.handler import answer
    from ..models.registry import Registry

    reply = answer(Registry.discover(), name, _read_json(request))
    click.echo(json.dumps(reply, indent=2))


def _read_json(file: TextIO) -> Any:
    try:
        return json.load(file)
    except ValueError as error:
        raise InputError(f"{file.name}: not JSON ({error})") from error


@models.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8100, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
def serve(host: str, port: int) -> None:
    """Serve the models over REST until stopped."""
    import socket

    import uvicorn

    from ..models.registry import Registry
    from ..models.service import service

    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise EnvironmentProblem(f"cannot listen on {host}:{port} ({error.strerror}); choose another --port") from error
    app = service(Registry.discover())
    click.echo(f"models on http://{host}:{listener.getsockname()[1]}", file=sys.stdout)
    sys.stdout.flush()
    with listener:
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
