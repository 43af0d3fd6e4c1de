"""The model protocol, columns of ragged data, units and the reading of parameter files.

For every room of ``models``; it knows no physics.
"""
