"""The verbs of the command line, one module each: they call a function of the package and print.

Only ``cli`` imports them, each when it is called.
"""
