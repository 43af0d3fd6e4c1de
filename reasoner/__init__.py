"""Rules with priorities: compiled to SPARQL CONSTRUCT, evaluated incrementally, and explained.

Import ``RuleEngine``, ``RuleResolver`` and ``Rule``.
"""
