"""The SPARQL language: tokens, binding of values, datasets, and the cost of a query estimated from its text.

Knows no store; any room may import it.
"""
