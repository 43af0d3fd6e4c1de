"""`voltwin demo` runs the case study that is installed."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..demo.case import find_case
from .grammar.case_options import CaseVerb
from .grammar.options import CONTEXT, PORT

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(cls=CaseVerb, context_settings=dict(CONTEXT))
@click.option("--exit", "leave", is_flag=True, help="Stop by itself at the end instead of serving until Ctrl-C.")
@click.option("--port", type=PORT, default=8000, show_default=True, help="Port of the web page; 0 takes a free one.")
@click.option("--broker", help="A broker that runs already, or amqtt to start that one; else mosquitto.")
@click.option("--fleet", "folder", default="demo-fleet", show_default=True, type=_FOLDER, help="Folder of its fleet.")
@click.option("--out", default="out", show_default=True, type=_FOLDER, help="Folder of figures and logs.")
def demo(leave: bool, port: int, broker: str | None, folder: Path, out: Path, **chosen: int) -> None:
    """Run the case study on real parts. Its fleet is then served until Ctrl-C.

    Both folders are made here; an earlier demo's are replaced, others are never touched.
    """
    from ..demo.run import DemoSettings, run_demo

    run_demo(find_case(os.environ), DemoSettings(folder, out, port, broker, chosen), leave)
