"""Queries that may run away: answered by reader processes on a snapshot, within limits, and ended at them."""
