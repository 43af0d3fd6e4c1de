"""`voltwin report`: plots, key figures and tables of a fleet as files."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("location", metavar="FOLDER_OR_URL", envvar="VOLTWIN_FLEET", default="./demo-fleet")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--twin", help="The twin whose details are shown; the report chooses one, if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the files' paths as JSON, for scripts.")
def report(location: str, out: Path, twin: str | None, as_json: bool) -> None:
    """Write the report of a fleet: plots and report.html, as the view that applies to the fleet makes them.

    FOLDER_OR_URL is the fleet's folder or its server as http://host:port; $VOLTWIN_FLEET or ./demo-fleet,
    if left out.
    """
    from ..api.web.views import find_report
    from ..assembly import open_fleet

    with open_fleet(location) as fleet:
        paths = find_report(fleet)(fleet, out, twin)
    click.echo(json.dumps({"files": [str(path) for path in paths]}) if as_json else "\n".join(map(str, paths)))
