"""Samples beside the triples: hot in the journal's database, sealed into Parquet, one reading over both."""
