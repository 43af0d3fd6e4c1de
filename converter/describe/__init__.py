"""UML objects to a description.

Import ``describe`` and ``describe_with_report`` from ``builder``; ``scope`` and ``inheritance`` serve writers that
work on UML objects directly.
"""
