"""The view of battery fleets: pages, plots and the report of the case study.

Nothing outside this room names a module, a cell or an arrival test.
"""
