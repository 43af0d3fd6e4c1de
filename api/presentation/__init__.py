"""Answers and query results as text for people, shared by the command line, the pages and the report."""
