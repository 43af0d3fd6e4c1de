"""The grammar that all verbs share: how the fleet is named, numbers below zero, options of many verbs.

A fleet is named in one way everywhere: ``--fleet`` (before or after the verb), else ``VOLTWIN_FLEET``, else the
current folder, or the nearest above it that is a fleet.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from ...errors import InputError, StoreError

CONTEXT: Final = {"max_content_width": 110}
FLEET: Final = "VOLTWIN_FLEET"
PORT: Final = click.IntRange(0, 65535)

_NUMBER: Final = re.compile(r"-(\d|\.\d|inf)")
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Verb(click.Command):
    """A command to which a number below zero is a value: ``voltwin put PATH -3.6``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move such numbers behind ``--``, where click reads no options; they are the last arguments of every verb."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option) and not param.is_flag]
        taking = {name for option in options for name in option.opts}
        end = args.index("--") if "--" in args else len(args)
        numbers = [
            index
            for index, word in enumerate(args[:end])
            if _NUMBER.match(word) and (index == 0 or args[index - 1] not in taking)
        ]
        if numbers:
            kept = [word for index, word in enumerate(args[:end]) if index not in numbers]
            args = [*kept, "--", *(args[index] for index in numbers), *args[end + 1 :]]
        return super().parse_args(ctx, args)


def verb(name: str | None = None) -> Callable[[Callable[..., Any]], Verb]:
    """Make a command of a function; ``name`` where Python cannot call it so."""
    return click.command(name, cls=Verb, context_settings=dict(CONTEXT))


def find_fleet(given: str | None, environment: Mapping[str, str], here: Path) -> str:
    """The fleet that is meant: ``given``, else that of the environment, else the folder around ``here``.

    Raises StoreError where none is.
    """
    named = given or environment.get(FLEET)
    if named:
        return named
    for folder in (here, *here.parents):
        if (folder / "fleet.json").is_file():
            return str(folder)
    raise StoreError(
        "no fleet is named: give --fleet FOLDER (or http://host:port), set VOLTWIN_FLEET, "
        "or call voltwin inside a fleet's folder"
    )


def meant_fleet(ctx: click.Context, given: str | None) -> str:
    """The fleet that a verb is called for: its own ``--fleet`` wins over the one before the verb."""
    return find_fleet(given or ctx.find_root().params.get("fleet"), os.environ, Path.cwd())


def meant_folder(ctx: click.Context, given: str | None) -> Path:
    """The same for a verb that works on files. Raises InputError for an address."""
    found = meant_fleet(ctx, given)
    if "://" in found:
        raise InputError(f"--fleet {found}: this verb works on the fleet's folder; call it where that is")
    return Path(found)


def _option(metavar: str, help: str, find: Callable[[click.Context, str | None], Any] | None) -> _Decorator:
    def callback(ctx: click.Context, _: click.Parameter, given: str | None) -> Any:
        # While the shell asks for completions nothing is looked for.
        return given if find is None or ctx.resilient_parsing else find(ctx, given)

    text = f"{help}; else ${FLEET}, else the current folder."
    return click.option("--fleet", metavar=metavar, help=text, callback=callback)


_ANYWHERE: Final = ("FOLDER|URL", "The fleet's folder, or its server as http://host:port")
fleet_option = _option(*_ANYWHERE, meant_fleet)
"""``fleet``: a folder or an address, as open_fleet takes it."""
folder_option = _option("FOLDER", "The fleet's folder", meant_folder)
"""``fleet``: the folder, for verbs that work on its files."""
fleet_given_option = _option(*_ANYWHERE, None)
"""``fleet``: only what was given, for verbs that may do without; see :func:`meant_fleet`."""

as_of_option = click.option(
    "--as-of",
    help="Ask the fleet as known at a time such as 2019-06-01T00:00:00Z, or after a commit's number.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts; errors too.")


def user_name() -> str:
    """The name of the user whose process this is, by the operating system and not by the environment."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without a name, as in containers
        return str(os.getuid())


def _author(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str:
    if given:
        click.echo("voltwin: note: --author is not used any more: the author is the user of this process", err=True)
    return user_name()


author_option = click.option("--author", hidden=True, callback=_author)
"""``author``: the user of this process. Scripts of older versions may give a name, which is not used."""

force_option = click.option(
    "--force",
    type=click.IntRange(min=0),
    metavar="N",
    help="Change the design although it orphans N twins, values or statements; N is what the refusal said.",
)
