"""Samples beside the triples: recent ones in the journal's database, older ones in Parquet files, read together.

Import ``store``, ``functions`` and ``options``; the journal alone writes through ``sealing``.
"""
