"""An endpoint leads to a service of the settings, or to an address that they allow."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter
from typing import Final

from .finding import DesignFinding, DesignUnderCheck, at

_OWN: Final = {"twin": "twin", "@time": "2000-01-01T00:00:00Z"}
_SOME_SERVICE: Final = "http://service.invalid"


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """A warning for each endpoint that the policy of outgoing requests refuses: its runs will fail with that reason.

    No error: the server runs, and whoever may write a graph could otherwise keep it from starting again.
    """
    services = design.services or {}
    policy = design.outgoing.including([*services.values(), _SOME_SERVICE])
    for action in design.actions.values():
        try:
            names = {name for _, name, _, _ in Formatter().parse(action.endpoint) if name}
            # A service that has no address yet is reported by the check named endpoints.
            address = action.endpoint.format_map({name: services.get(name, _SOME_SERVICE) for name in names} | _OWN)
        except (ValueError, LookupError, AttributeError):
            continue  # malformed: reported there too
        if address and (refusal := policy.refusal(address)):
            yield DesignFinding("warning", at(action), f"endpoint {refusal}")
