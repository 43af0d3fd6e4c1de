"""``python -m voltwin``: the command line of the interpreter that runs it."""

from voltwin.cli import main

if __name__ == "__main__":
    main()
