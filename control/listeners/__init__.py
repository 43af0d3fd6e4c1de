"""Built-in listeners; they register through the entry point group ``voltwin.listeners``."""
