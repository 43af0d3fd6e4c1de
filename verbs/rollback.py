"""`voltwin rollback` goes back to an earlier commit, by a new one."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from .grammar.options import author_option, fleet_option, force_option, json_option, verb


@verb()
@click.option("--to", type=click.IntRange(min=1), required=True, metavar="N", help="The commit to go back to.")
@click.option("--data", is_flag=True, help="Statements of twins, series and births too, not the design alone.")
@author_option
@force_option
@fleet_option
@json_option
def rollback(to: int, data: bool, author: str, force: int | None, fleet: str, as_json: bool) -> None:
    """Make the design what it was after commit N, by a new commit.

    The design is ontology, shapes, actions with their schedules, and rules. History stays as it is, so a rollback can
    be taken back by another.
    """
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        done = opened.rollback(to, data=data, author=author, force=force)
    if as_json:
        click.echo(json.dumps(asdict(done)))
    elif done.sequence is None:
        click.echo(f"nothing differs from commit {to}")
    else:
        click.echo(
            f"commit {done.sequence}: as after commit {to}; {done.graphs} graphs, {done.added} quads added, "
            f"{done.removed} removed, {done.samples} samples taken back"
        )
