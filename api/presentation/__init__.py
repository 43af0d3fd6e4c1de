"""Answers and query results as text for people.

Shared by the command line, the pages and reports; import ``tables`` and ``wording``.
"""
