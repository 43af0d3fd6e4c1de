"""Options that the case study brings: a verb has them besides its own."""

from __future__ import annotations

import os

import click

from ...demo.case import find_case
from .options import Verb


class CaseVerb(Verb):
    """A verb of the case study that is installed."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The case's options, then the verb's."""
        chosen = [
            click.Option([f"--{item.name}"], type=int, default=item.default, show_default=True, help=item.help)
            for item in find_case(os.environ).options
        ]
        return [*chosen, *super().get_params(ctx)]
