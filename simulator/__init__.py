"""Simulated journeys of battery modules, replayed as messages.

>>> from voltwin.simulator.plan import ReplaySettings, plan_fleet
>>> from voltwin.simulator.replay import replay
>>> plan = plan_fleet(ReplaySettings(modules=2))
>>> next(iter(replay(plan))).topic
'voltwin/clock'

The simulator imports nothing of the backend; both share only the message schemas in ``ontology/messages``.
The physics is the simulator's own, so that its test data reveal mistakes in the backend's models.
"""
