"""Self-discharge of a resting cell over a temperature history.

Import ``model.SelfDischargeModel`` and ``parameter_sets``; ``streaming`` and ``shared_records`` serve large fleets.
"""
