"""The author of a request's commit: the name that the door proved, never one that the request says."""

from __future__ import annotations

from typing import Final

from ...graphstore.sparql.gate import check_author
from ...settings import InputLimits

ANONYMOUS: Final = "anonymous"
"""The author of what comes in through a door that proves no name."""


def proved_author(claim: str | None, limits: InputLimits) -> str:
    """The author of a request's commit. Raises InputLimitError, InputError for a claim that cannot be a name.

    No key is asked for yet, so nothing is proved; a name that a client sends is measured and not recorded.
    """
    check_author(claim or "", limits)
    return ANONYMOUS
