"""The SPARQL language: tokens, binding of values, datasets, and the cost of a query told from its text.

Knows no store; any room may import it.
"""
