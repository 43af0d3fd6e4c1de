"""Maintenance of a fleet's folder: backup, restore, rebuild, export, import, compact, fsck.

Functions that need the rules (a view is incomplete without derived values) take a ``derive`` from assembly.py.
"""
