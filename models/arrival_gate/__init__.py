"""Is a module that arrives the module that left: a window of its own for every cell."""
