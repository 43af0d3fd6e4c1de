"""Actions in the graph: schedules, bindings, message schemas.

For ``master``, the executors and ``voltwin.testing``; it runs nothing itself.
"""
