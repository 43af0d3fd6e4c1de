"""`voltwin update` carries out a SPARQL update, through the journal."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict

import click

from .query import CONTEXT, json_option, read_text


@click.command(context_settings=CONTEXT)
@click.argument("fleet")
@click.argument("text", default="-")
@click.option("--author", help="Who says so; your login name, if left out.")
@json_option
def update(fleet: str, text: str, author: str | None, as_json: bool) -> None:
    """Carry out the SPARQL update TEXT, @FILE, or - for standard input, on FLEET (a folder or its server).

    All of it is one commit, or nothing. The prefixes vt, rdf, rdfs, owl, xsd, prov, qudt, … are there already.
    Graphs have to be named: the default graph is the union of all and cannot be written.
    """
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        done = opened.update(read_text(text), author=author or getpass.getuser())
    if as_json:
        click.echo(json.dumps(asdict(done)))
    elif done.sequence is None:
        click.echo("nothing changed")
    else:
        click.echo(f"commit {done.sequence}: {done.added} quads added, {done.removed} removed")
