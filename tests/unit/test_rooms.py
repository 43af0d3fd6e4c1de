"""The rooms of each folder: how many stand side by side, on how many floors, and that no two import each other."""

from __future__ import annotations

import graphlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grimp
import pytest

# The most rooms and floors of a folder; a folder that outgrows them wants a room split off or a floor merged.
MOST = {"graphstore": (15, 6), "api": (7, 4), "converter": (10, 5), "control": (7, 3), "models": (8, 5)}
DISTRIBUTION = "voltwin"


@pytest.fixture(scope="module")
def imports(root: Path, monkeypatch_module: Any) -> Any:
    # The checkout itself, under the package's name, whatever is installed beside it.
    monkeypatch_module.syspath_prepend(str(root / ".typing"))
    return grimp.build_graph(DISTRIBUTION, cache_dir=None)


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def rooms(graph: grimp.ImportGraph, folder: str) -> dict[str, set[str]]:
    """Each room of ``folder``, and the rooms beside it that it imports."""
    package = f"{DISTRIBUTION}.{folder}"
    found: dict[str, set[str]] = {child.removeprefix(f"{package}."): set() for child in graph.find_children(package)}
    owner = {}
    for child in found:
        for module in {f"{package}.{child}", *graph.find_descendants(f"{package}.{child}")}:
            owner[module] = child
    for module, child in owner.items():
        targets = graph.find_modules_directly_imported_by(module)
        found[child] |= {owner[target] for target in targets if target in owner and owner[target] != child}
    return found


def floors(found: dict[str, set[str]]) -> int:
    """How many floors the rooms need, each standing above all that it imports. Raises CycleError."""
    height: dict[str, int] = defaultdict(int)
    for room in graphlib.TopologicalSorter(found).static_order():
        height[room] = 1 + max((height[below] for below in found[room]), default=0)
    return max(height.values())


@pytest.mark.parametrize("folder", MOST)
def test_rooms_are_few_and_import_downwards(
    imports: Any, folder: str, record_property: Callable[[str, object], None]
) -> None:
    found = rooms(imports, folder)
    most_rooms, most_floors = MOST[folder]
    arrows = sum(map(len, found.values()))
    record_property("rooms", f"{folder}: {len(found)} rooms, {arrows} arrows, {floors(found)} floors")
    assert len(found) <= most_rooms
    assert floors(found) <= most_floors


def test_a_circle_is_found() -> None:
    with pytest.raises(graphlib.CycleError):
        floors({"a": {"b"}, "b": {"a"}})
