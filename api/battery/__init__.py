"""The view of battery fleets: pages, plots, the report and the request to the arrival gate of the case study.

It is found by the entry point ``voltwin.views`` alone; nothing imports it. It imports ``web``, ``presentation`` and the
graph store. Nothing outside this room names a module, a cell or an arrival test.
"""
