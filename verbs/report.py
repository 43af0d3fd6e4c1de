"""`voltwin report`: plots, key figures and tables of a fleet as files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .grammar.options import fleet_option, json_option, verb


@verb()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--twin", help="The twin whose details are shown; the report chooses one, if left out.")
@fleet_option
@json_option
def report(out: Path, twin: str | None, fleet: str, as_json: bool) -> None:
    """Write the report of a fleet: plots and report.html, as the view that applies to the fleet makes them."""
    from ..api.web.views import find_report
    from ..assembly import open_fleet

    with open_fleet(fleet) as opened:
        paths = find_report(opened)(opened, out, twin)
    click.echo(json.dumps({"files": [str(path) for path in paths]}) if as_json else "\n".join(map(str, paths)))
