"""``voltwin ontology``: pure tools on ontologies."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..ontology.check import check
from .grammar.options import json_option


@click.group("ontology")
def ontology() -> None:
    """Check ontologies."""


@ontology.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--profile-only", is_flag=True, help="Do without the reasoner (and without Java).")
@json_option
@click.pass_context
def check_files(ctx: click.Context, files: tuple[Path, ...], profile_only: bool, as_json: bool) -> None:
    """Check FILES together: OWL 2 DL, consistency, unsatisfiable classes.

    The exit code is 1 if any of it fails.
    """
    found = check(files, reasoner=not profile_only)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        for problem in found.problems:
            click.echo(f"{problem.code}: {problem.term}: {problem.message}")
        for iri in found.unsatisfiable:
            click.echo(f"unsatisfiable: {iri}: no instance of it can exist")
        state = {True: "consistent", False: "inconsistent", None: "consistency not checked"}[found.consistent]
        click.echo(f"{found.triples} triples, {state}, {len(found.problems)} profile problems")
    if not found.good:
        ctx.exit(1)
