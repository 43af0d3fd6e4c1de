"""The checks of a whole design, a file a check: the same for `voltwin check`, init, updates, loads and the server.

Import ``find_problems`` and ``refuse_errors`` from ``registry``.
"""
