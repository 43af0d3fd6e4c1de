"""Completions that the fleet knows: its twins, their parts and properties. Quick, and silent about every error."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from ...graphstore.fleets.fleet import FleetAccess
from ...graphstore.paths.answers import Element
from .options import meant_fleet

SECONDS: Final = 3.0
"""A shell that waits longer than this is answered with nothing."""
MOST: Final = 500


def path_argument(required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``path``: an absolute path that the shell completes; the slash that it leaves at the end may stay."""

    def callback(ctx: click.Context, param: click.Parameter, given: str | None) -> str | None:
        del ctx, param
        goes_on = given is not None and len(given) > 1 and given.endswith("/") and not given.endswith("//")
        return given[:-1] if given is not None and goes_on else given

    return click.argument("path", required=required, callback=callback, shell_complete=complete_path)


def complete_path(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The paths that go on from ``incomplete`` by one step."""
    del param
    return _ask(ctx, lambda fleet: _next_steps(fleet, incomplete), incomplete)


def complete_twin(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The keys of twins."""
    del param
    return _ask(ctx, iter, incomplete)


def _ask(ctx: click.Context, ask: Callable[[FleetAccess], Iterator[str]], incomplete: str) -> list[CompletionItem]:
    from ...assembly import open_fleet

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with open_fleet(meant_fleet(ctx, ctx.params.get("fleet"))) as fleet:
            found = sorted({text for text in ask(fleet) if text.startswith(incomplete) and "'" not in text})
    except Exception:  # noqa: BLE001 - whatever it is, a person who presses Tab wants no traceback
        return []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return [CompletionItem(text) for text in found[:MOST]]


def _next_steps(fleet: FleetAccess, incomplete: str) -> Iterator[str]:
    way, slash, _ = incomplete.rpartition("/")
    if not slash or not way:
        for key in fleet:
            yield f"/{key}/"
        return
    elements = [answer.value for answer in fleet.all(way) if isinstance(answer.value, Element)]
    inside = [element.path.removeprefix(f"{way}/") for element in elements if element.path.startswith(f"{way}/")]
    if inside:  # the step names many, such as /pump-7/valves: what follows is a key
        for key in inside:
            yield f"{way}/{key}/"
        return
    for element in {element.type: element for element in elements}.values():
        for item in fleet.structure(element.path, 0).properties:
            yield f"{way}/{item.name}{'/' if item.kind == 'object' else ''}"
