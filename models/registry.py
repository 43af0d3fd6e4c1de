"""Which models there are: those of voltwin and those other packages register, by one way.

>>> from voltwin.models.registry import Registry
>>> Registry.discover().get("ocv-soc").version
'1.0.0'

An entry point in the group ``voltwin.models`` names a callable without arguments that returns a model
(see ``protocol.Model``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from ..errors import EnvironmentProblem, NotFoundError
from .protocol import Model

GROUP: Final = "voltwin.models"

#: The package's own, written as the entry points they are: they work from a source tree, too.
BUILT_IN: Final = (
    EntryPoint("ocv-soc", "voltwin.models.ocv_soc.model:OcvSocModel.shipped", GROUP),
    EntryPoint("self-discharge", "voltwin.models.self_discharge.model:SelfDischargeModel.shipped", GROUP),
    EntryPoint(
        "self-discharge-two-electrode",
        "voltwin.models.self_discharge.two_electrode_model:TwoElectrodeModel.shipped",
        GROUP,
    ),
    EntryPoint("arrival-gate", "voltwin.models.arrival_gate.model:ArrivalGateModel.shipped", GROUP),
)


@dataclass(frozen=True, slots=True)
class Registry:
    """Models by name."""

    models: Mapping[str, Model]

    @classmethod
    def of(cls, models: Iterable[Model]) -> Registry:
        """Of these models."""
        return cls({model.name: model for model in models})

    @classmethod
    def discover(cls) -> Registry:
        """All registered models; a name registered twice is the later one's, so a user can replace ours."""
        points = {point.name: point for point in (*BUILT_IN, *entry_points(group=GROUP))}
        return cls.of(_load(point) for point in points.values())

    def names(self) -> list[str]:
        """Names, sorted."""
        return sorted(self.models)

    def get(self, name: str) -> Model:
        """The model of that name; NotFoundError with the known names."""
        try:
            return self.models[name]
        except KeyError:
            raise NotFoundError(f"model {name!r} is not known; known are {', '.join(self.names())}") from None


def _load(point: EntryPoint) -> Model:
    try:
        model = point.load()()
    except (ImportError, AttributeError) as error:
        raise EnvironmentProblem(
            f"model {point.name!r} ({point.value}) cannot be loaded: {error}; reinstall its package"
        ) from error
    if not isinstance(model, Model):
        raise EnvironmentProblem(f"model {point.name!r} ({point.value}) does not follow voltwin.models.protocol.Model")
    return model
