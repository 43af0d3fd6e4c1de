"""An endpoint has places that can be filled: the twin, the moment, and services that the server knows."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter
from typing import Final

from .finding import DesignFinding, DesignUnderCheck, at, nearest

OWN: Final = ("twin", "@time")


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for an endpoint that is malformed; a finding for a service that no setting names."""
    for action in design.actions.values():
        try:
            places = [place[1:] for place in Formatter().parse(action.endpoint) if place[1] is not None]
        except ValueError as error:
            yield DesignFinding("error", at(action), f"endpoint {action.endpoint!r} is malformed: {error}")
            continue
        for name, form, conversion in places:
            if form or conversion or not name or any(mark in name for mark in ".[]"):
                message = f"endpoint {action.endpoint!r}: {{{name}}} is no place; write {{name}}, with letters alone"
                yield DesignFinding("error", at(action), message)
            elif name not in OWN and name not in (design.services or {}):
                known = ", ".join(sorted(design.services or {})) or "none"
                message = (
                    f"endpoint {action.endpoint!r} names service {name!r}, the settings have {known}; "
                    f"start with --service {name}=URL"
                )
                yield DesignFinding(
                    design.runtime, at(action), message, nearest(name, (*(design.services or {}), *OWN))
                )
