"""`voltwin events` and `voltwin log`: what is committed, for programs that follow and for people who ask."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from .grammar.options import fleet_option, json_option, verb
from .grammar.path_completion import complete_twin

_twin = click.option("--twin", shell_complete=complete_twin, help="Leave out what does not concern this twin.")
_since = click.option("--since", help="Begin after this commit, or after a time such as 2019-06-01T00:00:00Z.")


@verb()
@_since
@_twin
@click.option("--follow", is_flag=True, help="Wait for what comes; begins now unless --since says otherwise.")
@click.option("--changes", is_flag=True, help="Say which triples came and went, too.")
@fleet_option
@json_option
def events(fleet: str, since: str | None, twin: str | None, follow: bool, changes: bool, as_json: bool) -> None:
    """Print what was committed, one line a commit.

    The number a line begins with, given to --since, goes on after that commit: nothing is left out or told twice.
    """
    from ..assembly import open_fleet
    from ..errors import InputError
    from ..graphstore.fleets.local import LocalFleet
    from ..graphstore.history.audit_log import line, triples

    with open_fleet(fleet) as opened:
        if follow and isinstance(opened, LocalFleet):
            raise InputError(
                f"{fleet}: no server runs it, so there are no events to come; `voltwin serve` it, or leave --follow out"
            )
        with opened.events(_moment(since), follow=follow, twin=twin, changes=changes) as found:
            for event in found:
                click.echo(json.dumps(event.to_json()) if as_json else line(event))
                if event.changes and not as_json:
                    click.echo("\n".join(triples(event)))


@verb()
@_since
@_twin
@click.option("--all", "everything", is_flag=True, help="Every line of commits that changed a great deal.")
@click.option("--verify", is_flag=True, help="Check the chain of hashes instead; with --anchor FILE against it too.")
@click.option(
    "--anchor",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Print the newest commit's hash, to keep elsewhere.",
)
@fleet_option
@json_option
@click.pass_context
def log(
    context: click.Context,
    fleet: str,
    since: str | None,
    twin: str | None,
    everything: bool,
    verify: bool,
    anchor: str | None,
    as_json: bool,
) -> None:
    """Print who changed what, and when.

    With --verify the exit code is 1 if a commit is not what it was. A journal whose newest commits were cut off is only
    found against an anchor: `voltwin log --anchor` prints one, as JSON.
    """
    if verify or anchor:
        _prove(context, fleet, verify, anchor, as_json)
        return
    from ..assembly import open_fleet
    from ..graphstore.history.audit_log import MOST_LINES, paragraph
    from ..ontology.naming import Naming

    with open_fleet(fleet) as opened:
        names = Naming(str(opened.status()["base"]))
        with opened.events(_moment(since), follow=False, twin=twin, changes=True) as found:
            for event in found:
                if as_json:
                    click.echo(json.dumps(event.to_json()))
                else:
                    click.echo("\n".join(paragraph(event, names, None if everything else MOST_LINES)))


def _prove(context: click.Context, fleet: str, verify: bool, anchor: str | None, as_json: bool) -> None:
    """Check the chain, or print its head; both beside a running server."""
    from ..errors import InputError
    from ..graphstore.database.check import check_all
    from ..graphstore.database.sqlite import Database
    from ..graphstore.database.tables import VERSIONS
    from ..graphstore.folder import read_folder
    from ..graphstore.journal.verification import Anchor, contradiction, describe, faults

    if fleet.startswith(("http://", "https://")):
        raise InputError(f"{fleet}: the journal is checked where it is; name the fleet's folder")
    folder = read_folder(Path(fleet))
    with closing(Database(folder.journal, VERSIONS, writable=False)) as database:
        if not verify and anchor == "-":
            click.echo(Anchor.of(database).to_json())
            return
        problems = [describe(fault) for fault in faults(check_all(database.reader()))]
        if not problems and (foreign := contradiction(database, folder.base, folder.id)):
            problems = [foreign]
        if anchor not in (None, "-") and not problems:
            problems = [describe(fault) for fault in faults(Anchor.read(Path(anchor)).compare(database))]
        head = None if problems else Anchor.of(database)
    if as_json:
        click.echo(
            json.dumps({"sound": not problems, "problems": problems, "head": None if head is None else asdict(head)})
        )
    else:
        for problem in problems:
            click.echo(f"{folder.journal}: {problem}")
        if head is not None:
            click.echo(f"{fleet}: every commit up to {head.sequence} matches its hash; the newest is {head.hash}")
    context.exit(1 if problems else 0)


def _moment(text: str | None) -> int | datetime | None:
    from ..graphstore.history.past_graphs import parse_as_of

    return None if text is None else parse_as_of(text)
