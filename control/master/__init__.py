"""The control master: intake of messages, runs and their inputs, due times, and one loop that commits.

Import :class:`~voltwin.control.master.loop.Master`, :class:`~voltwin.control.master.schedules.Births` and
:class:`~voltwin.control.master.inbox.Stop` from here; the rest is the master's own.
"""
