"""Built-in handlers; they register through the entry point group ``voltwin.handlers`` like those of other packages."""
