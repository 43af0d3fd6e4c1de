"""Parameters of a plant fitted to its own tests. Import ``fit`` and ``read_lot``."""
