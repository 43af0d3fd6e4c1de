"""`voltwin backup`, `restore`, `fork`, `rebuild`, `export`, `import`, `compact`, `salvage`, `fsck`: care of a fleet."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..ontology.literals import parse_time
from .grammar.options import author_option, folder_option, json_option, verb

_A_MOMENT = 0.5


def progress() -> Callable[[str, int, int], None]:
    """Shows long work on a terminal's standard error; elsewhere nothing."""
    shown = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal shown
        if sys.stderr.isatty() and time.monotonic() - shown > _A_MOMENT:
            shown = time.monotonic()
            click.echo(f"\r\033[K{what}: {done} of {total}" if total else f"\r\033[K{what}", nl=False, err=True)

    click.get_current_context().call_on_close(
        lambda: click.echo("\r\033[K", nl=False, err=True) if sys.stderr.isatty() else None
    )
    return show


def tell(value: Any, text: str, as_json: bool) -> None:
    """Print what was done: a sentence, or the figures."""
    click.echo(json.dumps(asdict(value), indent=2, default=str) if as_json else text)


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:.1f} MB"


@verb()
@click.argument("destination", type=click.Path(path_type=Path))
@click.option("--thorough", is_flag=True, help="Make the graph from the copy and compare it with the fleet's.")
@folder_option
@json_option
def backup(fleet: Path, destination: Path, thorough: bool, as_json: bool) -> None:
    """Back up the fleet, which may run, into the new folder DESTINATION.

    All of it is as of one commit. The graph is not in a backup: restoring makes it from the journal.
    """
    from ..maintenance import back_up_fleet

    made = back_up_fleet(fleet, destination, thorough=thorough, progress=progress())
    text = (
        f"{destination}: commit {made.sequence}, {made.graphs} graphs with {made.triples} triples, "
        f"{made.files} files, {megabytes(made.size)}"
    )
    if made.elsewhere:
        text += f"; {made.elsewhere} sealed files stay in the archive and are not in it"
    tell(made, text, as_json)


@verb()
@click.argument("backup", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--same", is_flag=True, help="Continue as the fleet that was backed up, which must not run any more.")
@json_option
def restore(backup: Path, folder: Path, same: bool, as_json: bool) -> None:
    """Create a fleet in FOLDER from BACKUP. BACKUP is a folder that `voltwin backup` made.

    The fleet gets an id of its own, so that it may listen beside the one that was backed up; with --same it takes
    over the messages that the broker keeps for that one.
    """
    from ..maintenance import restore_fleet

    made = restore_fleet(backup, folder, same=same, progress=progress())
    text = (
        f"{folder}: fleet {made.base} as of commit {made.sequence}, backed up {made.created}; {made.files} files "
        f"checked, {made.graphs} graphs with {made.triples} triples made from the journal"
    )
    if made.archive:
        text += f"; sealed samples are read from {made.archive}"
    tell(made, text, as_json)


@verb()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("new", required=False, type=click.Path(path_type=Path))
@json_option
def fork(folder: Path, new: Path | None, as_json: bool) -> None:
    """Make a fleet of its own: of a copy of FOLDER in NEW, or of FOLDER itself, which was copied by hand.

    Two folders with one id would take each other's messages from the broker. With NEW the fleet in FOLDER may run.
    """
    from ..maintenance import fork_fleet

    identity, place = fork_fleet(folder, new, progress=progress()), new or folder
    click.echo(
        json.dumps({"folder": str(place), "id": identity})
        if as_json
        else f"{place}: a fleet of its own now, with the id {identity}"
    )


@verb()
@click.option("--from", "source", type=click.Path(path_type=Path), help="A backup of this fleet to begin with.")
@click.option("--check", is_flag=True, help="Replace nothing; say whether the graph is what it should be.")
@folder_option
@json_option
@click.pass_context
def rebuild(context: click.Context, fleet: Path, source: Path | None, check: bool, as_json: bool) -> None:
    """Make the graph again, from the journal or a backup.

    With --check the exit code is 1 if the graph differs from what the journal and the rules say.
    """
    from ..maintenance import check_view, rebuild_fleet

    if check and source:
        raise click.UsageError("--check compares with the fleet's own journal; leave --from out")
    if not check:
        sequence = rebuild_fleet(fleet, source=source, progress=progress())
        click.echo(
            json.dumps({"sequence": sequence}) if as_json else f"{fleet}: graph made again, at commit {sequence}"
        )
        return
    found = check_view(fleet, progress())
    if as_json:
        rows = [{"graph": d.graph.value, "missing": d.missing, "extra": d.extra, "example": d.example} for d in found]
        click.echo(json.dumps({"equal": not found, "differences": rows}, indent=2))
    else:
        for difference in found:
            click.echo(
                f"{difference.graph.value}: lacks {difference.missing} triples, has {difference.extra} too many, "
                f"such as {difference.example}"
            )
        click.echo(f"{fleet}: {'equal' if not found else f'{len(found)} graphs differ; `voltwin rebuild` mends that'}")
    context.exit(1 if found else 0)


@verb()
@click.argument("destination", type=click.Path(path_type=Path))
@click.option("--twin", "twins", multiple=True, required=True, help="Key of a twin; may be given several times.")
@folder_option
@json_option
def export(fleet: Path, destination: Path, twins: tuple[str, ...], as_json: bool) -> None:
    """Write twins into the new folder DESTINATION. It has TriG, Parquet and a manifest.

    A server may go on writing meanwhile: all of it is as of one commit.
    """
    from ..graphstore.folder import read_folder
    from ..graphstore.operations.export import export_twins

    made = export_twins(read_folder(fleet), twins, destination)
    text = (
        f"{destination}: {made.twins} twins as of commit {made.sequence}, {made.triples} triples, "
        f"{made.series} series with {made.samples} samples"
    )
    tell(made, text, as_json)


@verb("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace twins that are there already; samples are merged.")
@author_option
@folder_option
@json_option
def import_(fleet: Path, source: Path, replace: bool, author: str, as_json: bool) -> None:
    """Read the twins in SOURCE into the fleet, in one commit. SOURCE is a folder that `voltwin export` made."""
    from ..maintenance import import_into_fleet

    made = import_into_fleet(fleet, source, author=author, replace=replace)
    for warning in made.warnings:
        click.echo(f"voltwin: note: {warning}", err=True)
    text = f"{fleet}: commit {made.sequence}, {len(made.twins)} twins, {made.triples} triples, {made.samples} samples"
    tell(made, text, as_json)


@verb()
@click.option("--keep-days", type=float, help="Days of history to keep; by default what fleet.json says, else all.")
@click.option("--seal-before", metavar="TIME", help="Seal samples before this time, such as 2026-11-01T00:00:00Z.")
@folder_option
@json_option
def compact(fleet: Path, keep_days: float | None, seal_before: str | None, as_json: bool) -> None:
    """Make the fleet's folder smaller. Old history, samples into sealed files, files nothing names."""
    from ..maintenance import compact_fleet

    moment = None if seal_before is None else parse_time(seal_before)
    gained = compact_fleet(fleet, keep_days=keep_days, seal_before=moment, progress=progress())
    text = (
        f"{fleet}: {megabytes(gained.before)} before, {megabytes(gained.after)} now; deleted {gained.history.changes} "
        f"changes and {gained.retained.samples} samples, "
        f"sealed {gained.sealed.samples} samples into {gained.sealed.files} files, deleted {gained.deleted}"
    )
    if gained.backup_running:
        text += "; a backup is under way, so files that nothing names stay until the next time"
    tell(gained, text, as_json)


@verb()
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The folder of the new fleet.")
@click.option("--from", "backup", type=click.Path(path_type=Path), help="A backup of the fleet, to fill gaps from.")
@folder_option
@json_option
@click.pass_context
def salvage(context: click.Context, fleet: Path, to: Path, backup: Path | None, as_json: bool) -> None:
    """Make a new fleet of what can be proved of a damaged one.

    The damaged folder is only read. What its hashes prove is taken from the journal, loads and sealed files, or from
    the backup; the graph is asked where changes are lost. What is lost is listed, and the exit code is 7 then.
    """
    from ..maintenance import salvage_fleet

    made = salvage_fleet(fleet, to, backup=backup, progress=progress())
    if not as_json:
        for loss in made.losses:
            click.echo(str(loss))
    origins = ", ".join(f"{count} whole from the {name}" for name, count in made.whole.items()) or "none whole"
    text = f"{to}: commits {made.first} to {made.last}, {origins}, {made.partial} in part; "
    text += f"{len(made.losses)} losses" if made.losses else "nothing is lost"
    tell(made, text, as_json)
    context.exit(7 if made.losses else 0)


@verb()
@folder_option
@json_option
@click.pass_context
def fsck(context: click.Context, fleet: Path, as_json: bool) -> None:
    """Find what is wrong with the fleet's folder. Nothing is changed; each finding says what to do.

    The exit code is 1 if anything is wrong. While a server holds the fleet its graph is not looked at.
    """
    from ..graphstore.operations.fsck import is_wrong
    from ..maintenance import check_everything

    findings = check_everything(fleet, progress())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.kind}: {finding}")
        click.echo(f"{fleet}: {f'{len(findings)} findings' if findings else 'nothing is wrong'}")
    context.exit(1 if is_wrong(findings) else 0)
