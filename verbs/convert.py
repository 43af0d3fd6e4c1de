"""``voltwin convert``: a UML model to its description, ontology, shapes, instances, and a report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from pyoxigraph import RdfFormat, serialize

from ..converter import convert as convert_model
from ..converter import dump_description, instances, ontology, read, shapes, turtle
from ..converter.description.diff import Effect, compare
from ..converter.writers.staruml2json import staruml2json
from ..converter.writers.staruml2json import text as tree_text
from ..errors import InputError
from ..ontology.iris import PREFIXES
from ..ontology.naming import Naming
from .grammar.options import json_option, verb

_OUT = click.Path(dir_okay=False, allow_dash=True)


@verb()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option(
    "--description", "json_out", type=_OUT, metavar="OUT", help="Write the description as JSON (-: print it)."
)
@click.option("--owl", "owl_out", type=_OUT, metavar="OUT", help="Write the ontology as Turtle.")
@click.option("--shacl", "shacl_out", type=_OUT, metavar="OUT", help="Write the SHACL shapes as Turtle.")
@click.option("--instances", "instances_out", type=_OUT, metavar="OUT", help="Write the model's objects as TriG.")
@click.option(
    "--base", default="https://fleet.example/", show_default=True, help="What the instances' IRIs start with."
)
@click.option("--report", is_flag=True, help="Print the outcome for every element.")
@click.option("--diff", nargs=2, type=click.Path(path_type=Path), metavar="OLD NEW", help="Say what changed instead.")
@click.option("--staruml2json", "tree_root", metavar="ROOT", help="Print the tree TUMFTM/Staruml2json writes instead.")
@click.option("--strict", is_flag=True, help="Exit with code 1 on any warning (with --diff: on a breaking change).")
@click.option(
    "--max-megabytes", type=click.IntRange(min=1), default=96, show_default=True, help="The largest file that is read."
)
@json_option
@click.pass_context
def convert(
    ctx: click.Context,
    model: Path | None,
    json_out: str | None,
    owl_out: str | None,
    shacl_out: str | None,
    instances_out: str | None,
    base: str,
    report: bool,
    diff: tuple[Path, Path] | None,
    tree_root: str | None,
    strict: bool,
    max_megabytes: int,
    as_json: bool,
) -> None:
    """Convert MODEL (.mdj, .mfj, .uml, .xmi or a description .json).

    --json prints the report of every element as JSON, or with --diff the changes.
    """
    most = max_megabytes * 1024 * 1024
    if diff:
        ctx.exit(_diff(*diff, as_json, strict, most))
    if model is None:
        raise InputError("convert: no model given; name a .mdj, .mfj, .uml, .xmi or description .json file")
    to_stdout = "-" in (json_out, owl_out, shacl_out, instances_out)
    if as_json and to_stdout:
        raise click.UsageError("--json prints the report; write what else is wanted to files")
    if tree_root is not None:
        click.echo(tree_text(staruml2json(read(model, max_bytes=most), tree_root)))
        return
    found = convert_model(model, max_bytes=most, progress=_tell if sys.stderr.isatty() else None)
    description = found.description
    if json_out:
        _write(json_out, dump_description(description).encode("utf-8"))
    if owl_out:
        _write(owl_out, turtle(ontology(description), description))
    if shacl_out:
        _write(shacl_out, turtle(shapes(description), description))
    if instances_out:
        quads = instances(description, Naming(base))
        _write(instances_out, serialize(quads, format=RdfFormat.TRIG, prefixes=PREFIXES) or b"")
    if as_json:
        click.echo(json.dumps(found.report.to_json(), ensure_ascii=False, indent=2))
    else:
        click.echo(found.report.text(entries=True) if report else found.report.summary(), err=to_stdout)
    if strict and found.report.warnings:
        _refuse(f"{model}: {len(found.report.warnings)} warnings, and --strict allows none; see --report")
        ctx.exit(1)


def _tell(what: str, done: int, total: int) -> None:
    """One line of progress that the next one overwrites."""
    click.echo(f"\r\x1b[K{what} {done}/{total}" if what != "done" else "\r\x1b[K", nl=False, err=True)


def _refuse(sentence: str) -> None:
    click.echo(f"voltwin: {sentence}", err=True)


def _diff(old: Path, new: Path, as_json: bool, strict: bool, most: int) -> int:
    """Print what changed; the exit code."""
    changes = compare(*(convert_model(path, max_bytes=most).description for path in (old, new)))
    if as_json:
        rows = [{**change._asdict(), "effect": change.effect.value} for change in changes]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    for change in changes if not as_json else ():
        click.echo(str(change))
    breaking = sum(change.effect is Effect.BREAKING for change in changes)
    click.echo(f"{len(changes)} changes, {breaking} of them breaking for existing twins", err=as_json)
    if strict and breaking:
        _refuse(f"{new}: {breaking} changes break existing twins of {old}, and --strict allows none")
        return 1
    return 0


def _write(out: str, data: bytes) -> None:
    try:
        with click.open_file(out, "wb") as file:
            file.write(data)
    except OSError as problem:
        raise InputError(f"{out}: cannot be written ({problem.strerror}); choose another place") from problem
