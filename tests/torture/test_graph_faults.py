"""The long version of tests/integration/test_graph_faults.py: hundreds of places in the graph's files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ..integration.fleet_process import environment_allows
from ..integration.graph_faults import answers, faults, outcome
from ..integration.test_graph_faults import sound

__all__ = ["sound"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(environment_allows() != "", reason=environment_allows()),
    pytest.mark.timeout(3600),
]
FAULTS, SEED = 400, 7


def test_hundreds_of_faults_in_a_graph(sound: Path, tmp_path: Path) -> None:
    wanted, counted, wrong = answers(sound), Counter[str](), []
    for fault in faults(sound / "graph", FAULTS, SEED):
        try:
            counted[outcome(sound, wanted, fault, tmp_path / "work")] += 1
        except Exception as error:  # noqa: BLE001 - all of them are listed at the end
            wrong.append(f"{fault}: {type(error).__name__}: {str(error)[:200]}")
    print(dict(counted))  # noqa: T201 - make torture shows it
    assert wrong == []
