"""The control master: intake of messages, runs and their inputs, due times, and one loop that commits.

Import :class:`~voltwin.control.master.loop.Master` from here; the rest is its own.
"""
