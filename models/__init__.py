"""What physics says: self-discharge, open circuit voltage to state of charge, and the arrival gate.

>>> from voltwin.models.registry import Registry
>>> sorted(Registry.discover().names())
['arrival-gate', 'ocv-soc', 'self-discharge', 'self-discharge-two-electrode']

Pure numpy and scipy; ``service`` alone puts the models behind REST.
"""
