"""SPARQL queries under limits of time, rows, bytes and memory, answered by a pool of worker processes.

Import ``QueryPool``, ``QueryLimits`` and ``results``.
"""
