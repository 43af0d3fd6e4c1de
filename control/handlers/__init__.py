"""Built-in handlers; they register through the entry point group ``voltwin.handlers`` like anybody's."""
