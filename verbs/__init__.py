"""The verbs of the command line, one module each: they call a function of the package and print."""
