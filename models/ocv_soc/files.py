"""Curve files: a table of points (CSV) and its description (JSON), read and checked.

>>> from voltwin.models.ocv_soc.files import CurveLibrary
>>> sorted(CurveLibrary.shipped().entries)
['bpx-nmc111', 'chen-2020', 'samsung-94ah']

The JSON names the table (``file``), the source, the licence, the reference temperature, the valid range
and three uncertainties; the shipped ones in ``models/curves`` serve as examples. Columns of the table:
``soc`` (fraction), then ``ocv_V`` (with ``dUdT_cell_V_per_K`` when ``entropy`` is ``table``) or one
``ocv_<kelvin>K_V`` per temperature; ``U_neg_V`` (against lithium) when the negative electrode is known.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Final, cast

import numpy as np

from ..base.columns import Floats
from ..base.json_fields import Fields
from ..base.library import Library
from ..base.units import ZERO_CELSIUS
from .curve import Entropy, OcvCurve, Spline

DEFAULT_CURVE: Final = "bpx-nmc111"
_AT: Final = re.compile(r"^ocv_([0-9.]+)K_V$")


def read_curve(file: Path) -> OcvCurve:
    """The curve a JSON file describes. Raises InputError, naming file and field, when it is wrong."""
    fields = Fields.read(file)
    table = _read_table(fields, file.parent / fields.text("file"))
    if "soc" not in table:
        raise fields.error("file", "the table has no column soc")
    soc = table["soc"]
    if np.any(np.diff(soc) <= 0) or soc[0] < 0 or soc[-1] > 1:
        raise fields.error("file", "column soc must rise strictly from 0 or more to 1 or less (a fraction)")
    reference = fields.quantity("referenceTemperature", "K")
    entropy = fields.text("entropy")
    entropic: Floats | None = None
    if entropy == "curves":
        found = sorted((float(m[1]), name) for name in table if (m := _AT.match(name)))
        if len(found) < 2:
            raise fields.error("entropy", "'curves' needs two or more columns ocv_<kelvin>K_V")
        temperatures = tuple(temperature for temperature, _ in found)
        voltages = tuple(table[name] for _, name in found)
    elif entropy in ("table", "none"):
        if "ocv_V" not in table:
            raise fields.error("file", "the table has no column ocv_V")
        temperatures, voltages = (reference,), (table["ocv_V"],)
        if entropy == "table":
            if "dUdT_cell_V_per_K" not in table:
                raise fields.error("entropy", "'table' needs a column dUdT_cell_V_per_K")
            entropic = table["dUdT_cell_V_per_K"]
    else:
        raise fields.error("entropy", f"must be table, curves or none, not {entropy!r}")
    for temperature, voltage in zip(temperatures, voltages, strict=True):
        falling = np.flatnonzero(np.diff(voltage) <= 0)
        if falling.size:
            raise fields.error(
                "file",
                f"the curve at {temperature - ZERO_CELSIUS:g} °C is not monotone at soc {soc[falling[0]]:g}: "
                "one voltage would mean two states of charge; smooth or cut it",
            )
    hysteresis = None if fields.data.get("hysteresis") is None else fields.quantity("hysteresis", "V")
    return OcvCurve(
        name=fields.text("name"),
        version=fields.text("version"),
        citation=fields.text("citation"),
        licence=fields.text("licence"),
        notes=fields.texts("notes"),
        points=soc,
        temperatures=temperatures,
        voltages=voltages,
        entropic=entropic,
        reference_temperature=reference,
        valid_temperature=fields.range("validTemperature", "K"),
        entropy=cast(Entropy, entropy),
        entropy_sigma=fields.quantity("entropySigma", "V-PER-K"),
        curve_sigma=fields.quantity("curveSigma", "V"),
        hysteresis=hysteresis,
        splines=tuple(Spline.through(soc, voltage) for voltage in voltages),
        entropic_spline=None if entropic is None else Spline.through(soc, entropic),
        negative_spline=Spline.through(soc, table["U_neg_V"]) if "U_neg_V" in table else None,
    )


def _read_table(fields: Fields, path: Path) -> dict[str, Floats]:
    """Columns by name; lines that begin with # are comments."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise fields.error("file", f"{path}: cannot be read ({error.strerror})") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = list(csv.reader(lines))
    if len(rows) < 5:
        raise fields.error("file", f"{path.name}: needs a heading and at least 4 points")
    columns: dict[str, Floats] = {}
    for number, name in enumerate(rows[0]):
        try:
            values = np.array([float(row[number]) for row in rows[1:]])
        except (ValueError, IndexError) as error:
            raise fields.error("file", f"{path.name}: column {name!r} must hold only numbers ({error})") from error
        if not np.all(np.isfinite(values)):
            raise fields.error("file", f"{path.name}: column {name!r} has values that are not finite")
        columns[name.strip()] = values
    return columns


class CurveLibrary(Library[OcvCurve]):
    """OCV curves by name."""

    __slots__ = ()
    kind = "curve"
    folder = "curves"
    read = staticmethod(read_curve)
