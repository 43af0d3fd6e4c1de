"""`voltwin report`: figures, key figures and the table of modules as files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .grammar.options import fleet_option, json_option, verb


@verb()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write to.")
@click.option("--module", help="Whose trends are shown; module-0017 or the first, if left out.")
@fleet_option
@json_option
def report(out: Path, module: str | None, fleet: str, as_json: bool) -> None:
    """Write figure3a.png, figure3b.png, figure3c.png and report.html for a fleet.

    Where its modules were decided on by the arrival gate, operating-curve.png comes with them: how small a leak
    the gate finds, beside a fixed window.
    """
    from ..api.battery.report import write_report
    from ..assembly import open_fleet
    from ..models.arrival_gate.window_comparison import compare_for_report

    with open_fleet(fleet) as opened:
        paths = write_report(opened, out, module, compare_for_report)
    click.echo(json.dumps({"files": [str(path) for path in paths]}) if as_json else "\n".join(map(str, paths)))
