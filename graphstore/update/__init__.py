"""SPARQL updates and bulk loads: the quads to add and to remove, then a commit like any other.

Import ``run_update``, ``run_load`` and ``load_design``.
"""
