"""`voltwin load` adds RDF files of any size to a fleet, through the journal."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from .grammar.options import author_option, fleet_option, force_option, json_option, verb


@verb()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--graph", metavar="IRI", help="Where the triples go; TriG and N-Quads may say it themselves.")
@click.option("--replace", is_flag=True, help="What the graph holds now goes; for one FILE.")
@author_option
@force_option
@fleet_option
@json_option
def load(
    files: tuple[Path, ...],
    graph: str | None,
    replace: bool,
    author: str,
    force: int | None,
    fleet: str,
    as_json: bool,
) -> None:
    """Add every FILE to the fleet, a commit each.

    A FILE is Turtle (.ttl), N-Triples (.nt), RDF/XML (.rdf, .owl), TriG (.trig) or N-Quads (.nq), with or without
    .gz. It is read as a stream and kept once, compressed, beside the journal.
    """
    if replace and len(files) > 1:
        raise click.UsageError("--replace takes one FILE: each would take away what the one before it brought")
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        for file in files:
            done = opened.load(file, graph=graph, author=author, replace=replace, force=force)
            if as_json:
                click.echo(json.dumps({"file": str(file), **asdict(done)}))
            else:
                commit = "nothing changed" if done.sequence is None else f"commit {done.sequence}"
                click.echo(f"{file}: {commit}, {done.triples} triples read, {done.removed} removed")
