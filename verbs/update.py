"""`voltwin update` carries out a SPARQL update, through the journal."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from .grammar.options import author_option, fleet_option, force_option, json_option, verb
from .query import read_text


@verb()
@click.argument("text", default="-")
@author_option
@force_option
@fleet_option
@json_option
def update(text: str, author: str, force: int | None, fleet: str, as_json: bool) -> None:
    """Apply a SPARQL update: TEXT, @FILE, or - for standard input.

    All of it is one commit, or nothing. The prefixes vt, rdf, rdfs, owl, xsd, prov, qudt, … are there already.
    Graphs have to be named: the default graph is the union of all and cannot be written.
    """
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        done = opened.update(read_text(text), author=author, force=force)
    if as_json:
        click.echo(json.dumps(asdict(done)))
    elif done.sequence is None:
        click.echo("nothing changed")
    else:
        click.echo(f"commit {done.sequence}: {done.added} quads added, {done.removed} removed")
