"""The long version of tests/integration/test_journal_faults.py: thousands of flipped bits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ..integration.fleet_process import environment_allows
from ..integration.journal_faults import content, outcome, places
from ..integration.test_journal_faults import sound

__all__ = ["sound"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(environment_allows() != "", reason=environment_allows()),
    pytest.mark.timeout(3600),
]
FAULTS, SEED = 2500, 7


def test_thousands_of_flipped_bits(
    sound: Path,
    tmp_path: Path,
) -> None:
    wanted, counted, wrong = content(sound), Counter[str](), []
    for place, bit in places(sound / "journal.sqlite", FAULTS, SEED):
        try:
            counted[outcome(sound, wanted, place, bit, tmp_path / "work")] += 1
        except Exception as error:  # noqa: BLE001 - all of them are listed at the end
            wrong.append(f"byte {place}, bit {bit}: {type(error).__name__}: {str(error)[:200]}")
    print(dict(counted))  # noqa: T201 - make torture shows it
    assert wrong == []
