"""What every test may ask for."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that: the servers that
# tests interrupt would never end.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root; skips where the package is tested without its repository."""
    if not (_ROOT / "pyproject.toml").is_file():
        pytest.skip("there is no repository around these tests")
    return _ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Published models, suites and data beside the repository; the product itself never reads them."""
    folder = (_ROOT / ".." / "shared").resolve()
    if not folder.is_dir():
        pytest.skip("there is no folder ../shared beside the repository")
    return folder
