"""The verbs of the command line; no logic. Each verb lives in verbs/ and is loaded when it is called."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

import click
from click.shell_completion import CompletionItem

from .errors import EXIT_CODES, StoreError, VoltwinError, missing_package

SECTIONS: Final = {
    "Ask": {
        "get": "query:get",
        "tree": "tree:tree",
        "query": "query:query",
        "validate": "query:validate",
        "status": "query:status",
        "log": "history:log",
        "events": "history:events",
        "report": "report:report",
    },
    "Write": {"put": "query:put", "update": "update:update", "load": "load:load", "rollback": "rollback:rollback"},
    "Run": {
        "demo": "demo:demo",
        "init": "fleet:init",
        "serve": "fleet:serve",
        "models": "models:models",
        "simulate": "simulate:simulate",
    },
    "Look after a fleet's folder": {
        "backup": "operations:backup",
        "restore": "operations:restore",
        "fork": "operations:fork",
        "rebuild": "operations:rebuild",
        "export": "operations:export",
        "import": "operations:import_",
        "compact": "operations:compact",
        "fsck": "operations:fsck",
        "salvage": "operations:salvage",
    },
    "Design": {"check": "fleet:check", "convert": "convert:convert", "ontology": "ontology:ontology"},
    "Shell": {"completion": "completion:completion"},
}
VERBS: Final = {name: place for verbs in SECTIONS.values() for name, place in verbs.items()}


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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # Without loading any of them, as a group would do to ask whether it is hidden.
        verbs = [CompletionItem(name) for name in sorted(VERBS) if name.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, verbs in SECTIONS.items():
            found = ((name, self.get_command(ctx, name)) for name in verbs)
            with formatter.section(title):
                formatter.write_dl([(name, command.get_short_help_str(70)) for name, command in found if command])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read our output has gone (`voltwin get … | head`); there is nothing left to say.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        return result


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="voltwin")
@click.option("-v", "--verbose", is_flag=True, help="Say more, on standard error.")
@click.option("--fleet", metavar="FOLDER|URL", help="The fleet, for every verb that asks for one; also after the verb.")
def voltwin(verbose: bool, fleet: str | None) -> None:
    """From a UML model to a running fleet of digital twins in one knowledge graph."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script: errors that voltwin raises on purpose are one sentence and an exit code (docs/cli.md)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = voltwin.main(words, prog_name="voltwin", standalone_mode=False)
    except (VoltwinError, ModuleNotFoundError) as error:
        problem = error if isinstance(error, VoltwinError) else missing_package(error)
        if problem is None:
            raise
        code = _tell(words, type(problem).__name__, str(problem), problem.exit_code)
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and not _asks_json(words):
            error.show()
            sys.exit(2)
        code = _tell(words, "UsageError", error.format_message(), 2)
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception as error:
        # Not imported for its name alone: most verbs do without.
        if type(error).__module__ != "sqlite3":
            raise
        problem = StoreError(f"the journal cannot be read ({error}); run `voltwin fsck`, then restore a backup")
        code = _tell(words, "StoreError", str(problem), problem.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _tell(words: Sequence[str], error: str, message: str, code: int) -> int:
    if _asks_json(words):
        click.echo(json.dumps({"error": error, "message": message, "exitCode": code}, ensure_ascii=False))
    else:
        click.echo(f"voltwin: {message}", err=True)
    return code


def _asks_json(words: Sequence[str]) -> bool:
    return "--json" in words[: words.index("--") if "--" in words else None]


if __name__ == "__main__":
    main()
