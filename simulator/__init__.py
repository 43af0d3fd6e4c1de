"""The outside world: journeys of battery modules, replayed as messages.

>>> from voltwin.simulator.plan import ReplaySettings, plan_fleet
>>> from voltwin.simulator.replay import replay
>>> plan = plan_fleet(ReplaySettings(modules=2))
>>> next(iter(replay(plan))).topic
'voltwin/clock'

Nothing here knows the backend: what the two share is the message schemas in ``ontology/messages``.
The physics is the simulator's own, so that a mistake in the backend's models cannot hide in its test data.
"""
