"""Built-in handlers; they register through the entry point group ``voltwin.handlers`` like those of other packages.

Import ``find_handler`` from ``registry``, no handler itself.
"""
