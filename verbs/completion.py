"""`voltwin completion install`: the shell completes verbs, options, and the twins and steps of paths."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

from ..errors import EnvironmentProblem, InputError
from .grammar.options import json_option

VARIABLE: Final = "_VOLTWIN_COMPLETE"
SHELLS: Final = ("bash", "zsh", "fish")
MARK: Final = "# voltwin completion"


@dataclass(frozen=True)
class _Place:
    """The completion script of a shell, and the start-up file that must read it (None: the shell finds it)."""

    script: Path
    startup: Path | None
    line: str = ""


@click.group()
def completion() -> None:
    """Let the shell complete verbs, options and paths."""


_shell_option = click.option("--shell", type=click.Choice(SHELLS), help="The shell; that of $SHELL, if left out.")


@completion.command()
@_shell_option
@json_option
def install(shell: str | None, as_json: bool) -> None:
    """Install completion for your shell; to do it again changes nothing."""
    chosen = shell or _own_shell(os.environ)
    place = _place(chosen, os.environ)
    try:
        changed = [str(file) for file in _install(place, _script(chosen))]
    except OSError as error:
        raise InputError(
            f"{error.filename}: cannot be written ({error.strerror}); `voltwin completion show`"
        ) from error
    if as_json:
        click.echo(json.dumps({"shell": chosen, "script": str(place.script), "changed": changed}))
    elif changed:
        click.echo(f"{chosen}: wrote {' and '.join(changed)}; new shells complete voltwin")
    else:
        click.echo(f"{chosen}: installed already in {place.script}")


@completion.command()
@_shell_option
def show(shell: str | None) -> None:
    """Print the script, to install it by hand."""
    click.echo(_script(shell or _own_shell(os.environ)))


def _own_shell(environment: Mapping[str, str]) -> str:
    name = Path(environment.get("SHELL", "")).name
    if name not in SHELLS:
        raise EnvironmentProblem(f"shell {name or 'unknown'!r}: name one of {', '.join(SHELLS)} with --shell")
    return name


def _place(shell: str, environment: Mapping[str, str]) -> _Place:
    home = Path(environment.get("HOME") or Path.home())
    if shell == "fish":
        folder = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        return _Place(folder / "fish" / "completions" / "voltwin.fish", None)
    script = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "voltwin" / f"completion.{shell}"
    read = f'[[ -r "{script}" ]] && . "{script}"  {MARK}'
    if shell == "bash":
        return _Place(script, home / ".bashrc", read)
    folder = Path(environment.get("ZDOTDIR") or home)
    return _Place(
        script, folder / ".zshrc", f"(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}; {read}"
    )


def _script(shell: str) -> str:
    found = get_completion_class(shell)
    assert found is not None
    source = found(click.Command("voltwin"), {}, "voltwin", VARIABLE).source()
    # What ends on a slash goes on: no space after it.
    return source.replace("    return 0\n}", '    [[ "${COMPREPLY[0]}" == */ ]] && compopt -o nospace\n    return 0\n}')


def _install(place: _Place, script: str) -> Iterable[Path]:
    if not place.script.is_file() or place.script.read_text("utf-8") != script:
        place.script.parent.mkdir(parents=True, exist_ok=True)
        place.script.write_text(script, "utf-8")
        yield place.script
    if place.startup is None:
        return
    lines = place.startup.read_text("utf-8").splitlines() if place.startup.is_file() else []
    wanted = [line for line in lines if not line.endswith(MARK)]
    if [*wanted, place.line] != lines:
        place.startup.write_text("\n".join([*wanted, place.line]) + "\n", "utf-8")
        yield place.startup
