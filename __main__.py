"""``python -m voltwin``: the command line of the interpreter that runs it."""

from voltwin.cli import main

main()
