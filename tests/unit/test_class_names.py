"""A class name means one thing within the package: whoever looks for it finds one definition."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from pathlib import Path


def test_no_class_name_is_used_twice(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    packages: list[str] = project["tool"]["setuptools"]["packages"]
    places: dict[str, list[str]] = defaultdict(list)
    for file in (file for name in packages for file in root.joinpath(*name.split(".")[1:]).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{file.relative_to(root)}:{node.lineno}")
    assert len(places) > 100
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
