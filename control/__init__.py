"""Actions carried out: schedules, the control master, handlers, listeners and executors.

Import the protocols from ``interfaces``, ``master.loop.Master``, and the registries of handlers and listeners.
"""
