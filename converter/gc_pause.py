"""A pause for Python's cyclic garbage collector while a large model is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Switch cyclic collection off for a block; memory is freed by reference counts alone.

    A model is hundreds of thousands of values that are all kept, and the collector would walk them again each
    time their number grows: half of the time of a large conversion, without any effect.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
