"""The verbs of the command line; no logic. Each verb lives in verbs/ and is loaded when it is called."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from typing import Final

import click

from .errors import VoltwinError

VERBS: Final = {
    "backup": "operations:backup",
    "compact": "operations:compact",
    "convert": "convert:convert",
    "events": "history:events",
    "export": "operations:export",
    "fsck": "operations:fsck",
    "get": "query:get",
    "import": "operations:import_",
    "init": "fleet:init",
    "log": "history:log",
    "load": "load:load",
    "models": "models:models",
    "ontology": "ontology:ontology",
    "put": "query:put",
    "query": "query:query",
    "rebuild": "operations:rebuild",
    "report": "report:report",
    "restore": "operations:restore",
    "serve": "fleet:serve",
    "simulate": "simulate:simulate",
    "status": "query:status",
    "update": "update:update",
    "validate": "query:validate",
    "weather": "simulate:weather",
}


class _Verbs(click.Group):
    """Loads a verb when it is named, so that each starts as fast as it can."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f".verbs.{module}", __package__), name)
        return command


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="voltwin")
@click.option("-v", "--verbose", is_flag=True, help="Say more, on standard error.")
def voltwin(verbose: bool) -> None:
    """From a UML model to a running fleet of battery digital twins in one knowledge graph."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )


def main() -> None:
    """The console script: errors that voltwin raises on purpose are one sentence and an exit code."""
    try:
        voltwin.main(standalone_mode=True)
    except VoltwinError as error:
        click.echo(f"voltwin: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone (`voltwin get … | head`); there is nothing left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
