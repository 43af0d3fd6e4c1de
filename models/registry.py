"""The registered models: those of voltwin and those of other packages, all by entry point.

>>> from voltwin.models.registry import Registry
>>> Registry.discover().get("ocv-soc").version
'1.0.0'

An entry point in the group ``voltwin.models`` names a callable without arguments that returns a model
(see ``base.protocol.Model``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from ..errors import EnvironmentProblem, InputError, NotFoundError, missing_package
from .base.protocol import Model

GROUP: Final = "voltwin.models"


@runtime_checkable
class TakesFiles(Protocol):
    """A model that reads curves, parameter sets or relaxation laws from files."""

    def with_files(self, folder: Path) -> Model:
        """The same model with the files of ``folder`` besides the shipped ones."""
        ...


@dataclass(frozen=True, slots=True)
class Registry:
    """Models by name."""

    models: Mapping[str, Model]

    @classmethod
    def of(cls, models: Iterable[Model]) -> Registry:
        """A registry of these models."""
        return cls({model.name: model for model in models})

    @classmethod
    def discover(cls, folder: Path | None = None) -> Registry:
        """All registered models; another package's replaces ours of the same name.

        ``folder`` may contain ``curves``, ``parameters`` and ``relaxations`` with the user's own files; InputError
        when there is no such folder.
        """
        found = sorted(entry_points(group=GROUP), key=_is_of_others)
        points = {point.name: point for point in found}
        models = [_load(point) for point in points.values()]
        if folder is None:
            return cls.of(models)
        if not folder.is_dir():
            raise InputError(f"{folder}: is not a folder; give one with curves/, parameters/ or relaxations/ in it")
        return cls.of(model.with_files(folder) if isinstance(model, TakesFiles) else model for model in models)

    def names(self) -> list[str]:
        """Names, sorted."""
        return sorted(self.models)

    def get(self, name: str) -> Model:
        """The model of that name; NotFoundError with the known names."""
        try:
            return self.models[name]
        except KeyError:
            raise NotFoundError(f"model {name!r} is not known; known are {', '.join(self.names())}") from None


def _is_of_others(point: EntryPoint) -> bool:
    return not point.value.startswith(f"{__package__}.")


def _load(point: EntryPoint) -> Model:
    try:
        model = point.load()()
    except (ImportError, AttributeError) as error:
        missing = missing_package(error) if isinstance(error, ImportError) else None
        raise missing or EnvironmentProblem(
            f"model {point.name!r} ({point.value}) cannot be loaded: {error}; reinstall its package"
        ) from error
    if not isinstance(model, Model):
        raise EnvironmentProblem(
            f"model {point.name!r} ({point.value}) does not follow voltwin.models.base.protocol.Model"
        )
    return model
