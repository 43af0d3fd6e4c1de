from __future__ import annotations

import pytest

from voltwin.models.registry import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.discover()
