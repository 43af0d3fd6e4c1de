"""The arrival gate: a window for every cell of a module, from its end-of-line test and its history.

Import ``model.ArrivalGateModel``; ``operating_curve`` and ``window_comparison`` are evidence about it.
"""
