"""The options of series in ``fleet.json``: ``"series": {"archive": "s3://bucket/fleet-7", "hot_days": 3}``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, StoreError


@dataclass(frozen=True)
class SeriesOptions:
    """The address of sealed files (empty: the fleet's folder ``series``), and the days after which samples are sealed.

    ``keep_days``: ``voltwin compact`` deletes older samples; None: never.
    """

    archive: str = ""
    hot_days: float = 3.0
    keep_days: float | None = None

    @classmethod
    def read(cls, document: object) -> SeriesOptions:
        """Read the object ``series`` of fleet.json. Raises InputError for unknown or wrong entries."""
        if not isinstance(document, dict):
            raise InputError(f'series: is {document!r}; write an object like {{"hot_days": 3}}')
        unknown = sorted(document.keys() - {"archive", "hot_days", "keep_days"})
        if unknown:
            raise InputError(f"series: {', '.join(unknown)} is unknown; there are archive, hot_days, keep_days")
        if not isinstance(document.get("archive", ""), str):
            raise InputError(f"series: archive is {document['archive']!r}; give an address, such as s3://bucket/prefix")
        for name in ("hot_days", "keep_days"):
            days = document.get(name, 1)
            if name == "keep_days" and days is None:
                continue
            if isinstance(days, bool) or not isinstance(days, int | float) or days < 0:
                raise InputError(f"series: {name} is {days!r}; give a number of days")
        return cls(**document)


def read_options(folder: Path) -> SeriesOptions:
    """The options of the fleet in ``folder``, or their defaults. Raises StoreError, InputError."""
    file = folder / "fleet.json"
    if not file.is_file():
        return SeriesOptions()
    try:
        document = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise StoreError(f"{file}: cannot be read as a fleet's description: {error}") from error
    try:
        return SeriesOptions.read(document.get("series", {}) if isinstance(document, dict) else {})
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
