"""The long version of tests/integration/test_journal_faults.py: thousands of flipped bits, salvaged now and then."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from ..integration.fleet_process import environment_allows
from ..integration.journal_faults import content, kinds_of_files, outcome, places, salvages
from ..integration.test_journal_faults import killed, sound

__all__ = ["killed", "sound"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(environment_allows() != "", reason=environment_allows()),
    pytest.mark.timeout(3600),
]
FAULTS, SEED = 2500, 7


@pytest.mark.parametrize(
    ("world", "kind", "faults"),
    [
        ("sound", "journal", FAULTS),
        ("killed", "log", 500),
        ("killed", "journal", 500),
        ("sound", "loads", 200),
        ("sound", "series", 200),
    ],
)
def test_thousands_of_flipped_bits(
    request: pytest.FixtureRequest, tmp_path: Path, world: str, kind: str, faults: int
) -> None:
    fleet = request.getfixturevalue(world)
    shutil.copytree(fleet, tmp_path / "wanted")
    wanted, counted, wrong = content(tmp_path / "wanted"), Counter[str](), []
    files = kinds_of_files(fleet)[kind]
    for file in files:
        name = str(file.relative_to(fleet))
        for number, (place, bit) in enumerate(places(file, max(1, faults // len(files)), SEED)):
            try:
                found = outcome(fleet, wanted, name, place, bit, tmp_path / "work")
                counted[found] += 1
                if found != "harmless" and number % 25 == 0:
                    salvages(fleet, tmp_path / "work")
            except Exception as error:  # noqa: BLE001 - all of them are listed at the end
                wrong.append(f"{name}, byte {place}, bit {bit}: {type(error).__name__}: {str(error)[:200]}")
    print(world, kind, dict(counted))  # noqa: T201 - make torture shows it
    assert wrong == []
