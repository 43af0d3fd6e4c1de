"""Fields of parameter and curve files: every quantity has a unit, every error names file and field.

>>> from pathlib import Path
>>> from voltwin.models.base.json_fields import Fields
>>> Fields({"z": {"value": 500, "unit": "MilliV"}}, Path("set.json")).quantity("z", "V")
0.5
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InputError, UnitError
from .units import convert, convert_difference


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object of a file, with the file's name and the path of the object for error messages."""

    data: Mapping[str, Any]
    file: Path
    where: str = ""

    @classmethod
    def read(cls, file: Path) -> Fields:
        """The object in ``file``; InputError when it is missing, not JSON, or not an object."""
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"{file}: cannot be read ({error.strerror}); check the path") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{file}: not JSON ({error})") from error
        if not isinstance(data, dict):
            raise InputError(f"{file}: must hold one JSON object")
        return cls(data, file)

    def error(self, key: str, message: str) -> InputError:
        """An InputError that names the file and the field."""
        return InputError(f"{self.file}: {self.where}{key}: {message}")

    def get(self, key: str) -> Any:
        """The raw value; InputError when absent."""
        if key not in self.data:
            raise self.error(key, "missing; the file format needs it")
        return self.data[key]

    def text(self, key: str) -> str:
        """A word or sentence."""
        value = self.get(key)
        if not isinstance(value, str) or not value:
            raise self.error(key, f"must be text, not {value!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """One text or a list of them; empty when absent."""
        value = self.data.get(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self.error(key, "must be text or a list of texts")
        return tuple(items)

    def number(self, key: str, default: float | None = None) -> float:
        """A plain, finite number."""
        value = self.get(key) if default is None else self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.error(key, f"must be a finite number, not {value!r}")
        return float(value)

    def child(self, key: str) -> Fields:
        """The object under ``key``."""
        value = self.get(key)
        if not isinstance(value, dict):
            raise self.error(key, f"must be an object, not {value!r}")
        return Fields(value, self.file, f"{self.where}{key}.")

    def children(self, key: str) -> list[Fields]:
        """The objects in the list under ``key``."""
        value = self.get(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, "must be a list of objects")
        return [Fields(item, self.file, f"{self.where}{key}[{i}].") for i, item in enumerate(value)]

    def range(self, key: str, unit: str) -> tuple[float, float]:
        """``{"minimum": …, "maximum": …, "unit": …}`` as a pair in the wanted unit."""
        low, high = self.quantity(key, unit, "minimum"), self.quantity(key, unit, "maximum")
        if low > high:
            raise self.error(key, "minimum must be at or below maximum")
        return low, high

    def quantity(self, key: str, unit: str, part: str = "value") -> float:
        """``{"value": …, "unit": …}`` in the wanted unit; ``part`` names another member than value."""
        inner = self.child(key)
        try:
            if part == "sigma":
                return convert_difference(inner.number("sigma", 0.0), inner.text("unit"), unit)
            return convert(inner.number(part), inner.text("unit"), unit)
        except UnitError as error:
            raise self.error(key, str(error)) from error
