"""SHACL over twins: the graph of each twin and of its references, validated with pySHACL behind a protocol.

Import ``validate_twins`` from ``shacl`` and the report's classes from ``report``.
"""
