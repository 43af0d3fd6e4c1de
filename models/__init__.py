"""Physics of cells at rest: self-discharge, open circuit voltage to state of charge, and the arrival gate.

>>> from voltwin.models.registry import Registry
>>> sorted(Registry.discover().names())
['arrival-gate', 'ocv-soc', 'self-discharge', 'self-discharge-two-electrode']

Pure numpy and scipy; only ``service`` knows REST.
"""
