"""`voltwin get`, `query`, `put`, `validate`, `status`: asking a fleet, on disk or behind a server."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from ..api.http.accept import FORMATS
from ..api.presentation.wording import origin_text, value_text
from ..errors import InputError, InputLimitError
from ..graphstore.fleets.asking import ask, at_moment
from ..graphstore.interfaces import QueryAnswer
from ..graphstore.paths.answers import Element, Trend
from ..ontology.literals import format_time, parse_time
from ..settings import InputLimits
from .grammar.options import as_of_option, author_option, fleet_option, json_option, verb
from .grammar.path_completion import complete_twin, path_argument

NOT_VALIDATED: Final = 8


@verb()
@path_argument()
@as_of_option
@fleet_option
@json_option
def get(path: str, as_of: str | None, fleet: str, as_json: bool) -> None:
    """Print the values at PATH, such as /pump-7/motor/speed or '/*/motor/speed'.

    One line an answer: path, value, and where it comes from. A path that names one thing which is not
    there is an error; one with * or ** prints what there is.
    """
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        answers = ask(at_moment(opened, as_of), path)
    if as_json:
        click.echo(json.dumps({"path": path, "answers": [answer.to_json() for answer in answers]}, indent=2))
        return
    for answer in answers:
        if isinstance(answer.value, Element):
            click.echo(f"{answer.path}  {click.style(answer.value.type, dim=True)}")
        elif isinstance(answer.value, Trend):
            click.echo(f"{answer.path}  {click.style(f'trend in {answer.unit}, UTC', dim=True)}")
            click.echo("\n".join(f"  {line}" for line in value_text(answer).splitlines()))
        else:
            click.echo(f"{answer.path}  {value_text(answer)}  {click.style(origin_text(answer), dim=True)}")


@verb()
@click.argument("text", default="-")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["table", "json", "csv", "tsv", "xml", "turtle"]),
    help="How to print; a table on a terminal and JSON elsewhere, RDF as Turtle.",
)
@as_of_option
@fleet_option
def query(text: str, kind: str | None, as_of: str | None, fleet: str) -> None:
    """Answer a SPARQL query over all twins: TEXT, @FILE, or - for standard input.

    The prefixes vt, vtf, rdf, rdfs, owl, xsd, sosa, prov, qudt and unit are there already. The default
    graph is the union of all.
    """
    from ..assembly import open_fleet

    chosen = kind or ("table" if sys.stdout.isatty() else "any")
    with open_fleet(fleet) as opened:
        answer = at_moment(opened, as_of).query(read_text(text), _accept(chosen))
    if chosen == "table" and answer.media_type == "application/sparql-results+json":
        _print_table(answer)
        return
    sys.stdout.buffer.write(answer.body)
    if not answer.body.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def read_text(text: str) -> str:
    """The text of an argument: itself, the content of ``@FILE``, or of standard input for ``-``."""
    if text != "-" and not text.startswith("@"):
        return text
    name, most = text[1:] or "standard input", InputLimits.from_environment(os.environ).body_bytes
    try:
        with Path(name).open("rb") if text != "-" else nullcontext(sys.stdin.buffer) as file:
            read = file.read(most + 1)
        if len(read) > most:
            raise InputLimitError(
                f"{name}: larger than {most} bytes; send it in parts, or raise VOLTWIN_INPUT_BODY_BYTES"
            )
        return read.decode()
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: is no text in UTF-8; save it as that") from error


def _accept(kind: str) -> str:
    if kind in ("table", "any"):
        return "application/sparql-results+json, text/turtle"
    return ", ".join(FORMATS[kind])


def _print_table(answer: QueryAnswer) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from ..api.presentation.tables import read_table

    found = read_table(answer)
    table = Table(*found.columns, box=box.SIMPLE_HEAD)
    for row in found.rows:
        table.add_row(*(cell.text for cell in row))
    console = Console()
    console.print(table)
    console.print(f"rows: {len(found.rows)}", style="dim", highlight=False)


@verb()
@path_argument()
@click.argument("value")
@click.option("--unit", help="Local name of the value's QUDT unit, such as V or DEG_C.")
@click.option("--time", "moment", help="When it holds: 2019-06-01T00:00:00Z; now, if left out.")
@author_option
@fleet_option
@json_option
def put(path: str, value: str, unit: str | None, moment: str | None, author: str, fleet: str, as_json: bool) -> None:
    """Write VALUE at PATH, as one commit.

    VALUE is a number, true, false, a JSON list, or text.
    """
    from ..assembly import open_fleet

    time = parse_time(moment) if moment else datetime.now(UTC)
    with open_fleet(fleet) as opened:
        sequence = opened.put(path, _value(value), unit=unit, time=time, author=author)
    click.echo(json.dumps({"sequence": sequence}) if as_json else f"commit {sequence}: {path} at {format_time(time)}")


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, dict) or value is None else value


@verb()
@click.option("--twin", shell_complete=complete_twin, help="Look at this twin only.")
@fleet_option
@json_option
@click.pass_context
def validate(context: click.Context, twin: str | None, fleet: str, as_json: bool) -> None:
    """Check all twins, or one, against the shapes.

    The exit code is 1 if any does not conform, 8 if a shape cannot be evaluated, so that nothing is known.
    """
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        report = opened.validate(twin)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for violation in report.violations:
            click.echo(f"{click.style(violation.twin, bold=True)}  {violation}")
        click.echo(f"twins {report.twins}, violations {len(report.violations)}")
        if report.note:
            click.echo(report.note)
    context.exit(NOT_VALIDATED if report.not_validated else 0 if report.conforms else 1)


@verb()
@fleet_option
@json_option
def status(fleet: str, as_json: bool) -> None:
    """Print totals: twins, commits, messages, runs by state, dead letters."""
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        totals = dict(opened.status())
    if as_json:
        click.echo(json.dumps(totals, indent=2))
        return
    width = max(map(len, totals), default=0)
    for name, total in totals.items():
        click.echo(f"{name:{width}}  {'none' if total is None else total}")
