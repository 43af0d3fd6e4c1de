"""Built-in listeners; they register through the entry point group ``voltwin.listeners``.

Import ``find_listener`` from ``registry``, no listener itself.
"""
