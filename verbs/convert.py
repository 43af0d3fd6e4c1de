"""``voltwin convert``: a UML model to its description, ontology, shapes, instances, and the account of it."""

from __future__ import annotations

import json
from pathlib import Path

import click
from pyoxigraph import RdfFormat, serialize

from ..converter import convert as convert_model
from ..converter import dump_description, instances, ontology, shapes, turtle
from ..errors import InputError, VoltwinError
from ..ontology.iris import PREFIXES
from ..ontology.naming import Naming

_OUT = click.Path(dir_okay=False, allow_dash=True)


@click.command("convert")
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option(
    "--json", "json_out", type=_OUT, metavar="OUT", help="Write the JSON description (- for standard output)."
)
@click.option("--owl", "owl_out", type=_OUT, metavar="OUT", help="Write the ontology as Turtle.")
@click.option("--shacl", "shacl_out", type=_OUT, metavar="OUT", help="Write the SHACL shapes as Turtle.")
@click.option("--instances", "instances_out", type=_OUT, metavar="OUT", help="Write the model's objects as TriG.")
@click.option(
    "--base", default="https://fleet.example/", show_default=True, help="What the instances' IRIs start with."
)
@click.option("--report", is_flag=True, help="Print what became of every element.")
@click.option("--report-json", "report_out", type=_OUT, metavar="OUT", help="Write the same account as JSON.")
@click.option("--strict", is_flag=True, help="Exit with code 1 if there is any warning.")
@click.option(
    "--max-megabytes", type=click.IntRange(min=1), default=96, show_default=True, help="The largest file that is read."
)
def convert(
    model: Path | None,
    json_out: str | None,
    owl_out: str | None,
    shacl_out: str | None,
    instances_out: str | None,
    base: str,
    report: bool,
    report_out: str | None,
    strict: bool,
    max_megabytes: int,
) -> None:
    """Convert MODEL (.mdj, .mfj, .uml, .xmi or a description .json)."""
    if model is None:
        raise InputError("convert: no model given; name a .mdj, .mfj, .uml, .xmi or description .json file")
    found = convert_model(model, max_bytes=max_megabytes * 1024 * 1024)
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
    if report_out:
        text = json.dumps(found.report.to_json(), ensure_ascii=False, indent=2) + "\n"
        _write(report_out, text.encode("utf-8"))
    to_stderr = "-" in (json_out, owl_out, shacl_out, instances_out, report_out)
    click.echo(found.report.text(entries=True) if report else found.report.summary(), err=to_stderr)
    if strict and found.report.warnings:
        raise VoltwinError(f"{model}: {len(found.report.warnings)} warnings, and --strict allows none; see --report")


def _write(out: str, data: bytes) -> None:
    try:
        with click.open_file(out, "wb") as file:
            file.write(data)
    except OSError as problem:
        raise InputError(f"{out}: cannot be written ({problem.strerror}); choose another place") from problem
