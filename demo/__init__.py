"""A case study run end to end by voltwin's own commands, each a process of its own: ``voltwin demo``.

A case is found by the entry point group ``voltwin.cases``; nothing here knows which one it is.
It may import the layers below the verbs; the simulator's case comes through its entry point alone.
"""
