"""No damage to the graph's files ends in a traceback, in a wrong sentence or in another answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..unit.api.sample_fleet import EOL, make_fleet
from .graph_faults import answers, faults, outcome

pytestmark = pytest.mark.integration

FAULTS, SEED, SHORT = 60, 20190401, 20


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small fleet whose graph is partly in sorted files and partly in the log."""
    folder = tmp_path_factory.mktemp("graph-faults")
    with make_fleet(folder) as made:
        made.committer.store.flush()
        made.put("/module-0001/serial", "S-7", unit=None, time=EOL, author="anna")
    return folder / "fleet"


def test_every_fault_in_a_graph_is_found_or_changes_no_answer(
    sound: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    wanted: Any = answers(sound)
    chosen = random.Random(SEED).sample(list(faults(sound / "graph", FAULTS, SEED)), SHORT)
    counted = Counter(outcome(sound, wanted, fault, tmp_path / "work") for fault in chosen)
    record_property("outcomes", dict(counted))
    assert counted["found"] > SHORT / 3
