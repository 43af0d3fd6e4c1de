"""Named entries read from JSON files: those of the package, and those of a folder of the user's.

>>> from voltwin.models.self_discharge.parameter_sets import ParameterSets
>>> ParameterSets.shipped().get("generic-nmc-literature").version
'1.0.0'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Generic, Protocol, Self, TypeVar

from ...errors import NotFoundError
from .protocol import Batch, Problems

_MODELS: Final = Path(__file__).parent.parent


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Entry = TypeVar("_Entry", bound=_Named)


@dataclass(frozen=True, slots=True)
class Library(Generic[_Entry]):
    """Entries by name. A subclass names their ``kind``, the ``folder`` of their files, and how to ``read`` one."""

    entries: Mapping[str, _Entry]
    kind: ClassVar[str]
    folder: ClassVar[str]

    @staticmethod
    def read(file: Path) -> _Entry:
        """The entry in one file. Raises InputError, naming file and field, when it is wrong."""
        raise NotImplementedError

    @classmethod
    def shipped(cls, folder: Path | None = None) -> Self:
        """The entries of the package, and those in ``folder``, whose own subfolder may be absent."""
        places = [_MODELS] if folder is None else [_MODELS, folder]
        entries = [cls.read(file) for place in places for file in sorted((place / cls.folder).glob("*.json"))]
        return cls({entry.name: entry for entry in entries})

    def get(self, name: str) -> _Entry:
        """The entry of that name; NotFoundError with the known names."""
        if name not in self.entries:
            raise NotFoundError(f"{self.kind} {self._unknown(name)}")
        return self.entries[name]

    def check(self, batch: Batch, problems: Problems) -> None:
        """Note the instances whose parameter, called like the kind, names no entry."""
        for row, name in enumerate(batch.words(self.kind)):
            if name not in self.entries:
                problems.add(row, self.kind, self._unknown(name))

    def _unknown(self, name: str) -> str:
        return f"{name!r} is not known; known are {', '.join(sorted(self.entries))}"
