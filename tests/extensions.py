"""The parts that docs/extending.md shows, as a distribution that is installed for the tests."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
MODULE = "my_parts"


def blocks(language: str) -> list[str]:
    """The code of that language on the page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)


def write_distribution(folder: Path) -> Path:
    """Write the page's code and entry points into ``folder``, as an installer would into site-packages."""
    info = folder / "my_parts-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-parts\nVersion: 1.0\n", "utf-8")
    (registered,) = (tomllib.loads(text)["project"]["entry-points"] for text in blocks("toml"))
    groups = (f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in registered.items())
    (info / "entry_points.txt").write_text("\n".join(groups), "utf-8")
    (folder / f"{MODULE}.py").write_text("\n\n".join(blocks("python")), "utf-8")
    return folder


@contextmanager
def installed(folder: Path) -> Iterator[ModuleType]:
    """The module ``my_parts``, importable and registered as long as the block runs."""
    sys.path.insert(0, str(write_distribution(folder)))
    try:
        yield __import__(MODULE)
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(MODULE, None)
