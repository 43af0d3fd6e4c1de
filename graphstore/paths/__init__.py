"""UNIX-like paths: text, syntax tree, one SPARQL query, answers; and writing where a path points.

Import ``parse``, ``PathReader`` and ``TwinWriter``.
"""
