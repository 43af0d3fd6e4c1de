"""The one SQLite file of a fleet: connections, transactions, and the versions of its tables.

For ``series``, ``journal``, ``history`` and ``operations``.
"""
