"""Looking after a fleet's folder: backup, restore, rebuild, export, import, compact, fsck.

What needs the rules (a view is not whole without what they derive) takes a ``derive`` from assembly.py.
"""
