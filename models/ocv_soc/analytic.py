"""The electrode potentials behind the curve `bpx-nmc111`, as published: the reference for its table.

>>> import numpy as np
>>> voltage(np.array([0.5])).round(4).tolist()
[3.6729]

Source: Faraday Institution, Battery Parameter eXchange (BPX), example nmc_pouch_cell_BPX.json (MIT): NMC111 and
graphite potentials at 25 °C fitted by About:Energy, and the stoichiometries at both ends of charge. Models read
the table; ``evidence.comparison`` and the tests compare it with these functions.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ..base.columns import Floats

#: Stoichiometry of each electrode at 0 and at 100 % charge.
POSITIVE: Final = (0.96210, 0.42424)
NEGATIVE: Final = (0.005504, 0.75668)


def positive_potential(x: Floats) -> Floats:
    """Potential of the NMC111 electrode against lithium (V) at stoichiometry ``x`` ``(n,)``."""
    return (
        10.04892207
        - 3.04420906 * x
        - 0.65637536 * np.tanh(-4.02134095 * (x - 0.80063948))
        + 4.24678547 * np.tanh(12.17805062 * (x - 7.57659337))
        - 0.3757068 * np.tanh(59.33067782 * (x - 0.99784492))
    )


def negative_potential(x: Floats) -> Floats:
    """Potential of the graphite electrode against lithium (V) at stoichiometry ``x`` ``(n,)``."""
    return (
        0.947057878 * np.exp(-159.418743 * x)
        - 35092.8033
        + 0.164230269 * np.tanh(-45.5509094 * (x - 0.0324116012))
        + 0.0369968491 * np.tanh(-19.6718868 * (x - 0.168334476))
        + 19151.7003 * np.tanh(3.19648312 * (x - 1.85139824))
        + 54244.8511 * np.tanh(-3.19009848 * (x - 2.01660395))
    )


def voltage(soc: Floats) -> Floats:
    """Open circuit voltage of the cell (V) at a state of charge ``(n,)``, fraction, and 25 °C."""
    positive = positive_potential(POSITIVE[0] + soc * (POSITIVE[1] - POSITIVE[0]))
    return positive - negative_potential(NEGATIVE[0] + soc * (NEGATIVE[1] - NEGATIVE[0]))
