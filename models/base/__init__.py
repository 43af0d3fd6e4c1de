"""The model protocol, columns of ragged data, units and parameter files.

Any room of ``models`` may import it; it imports none, and contains no physics.
"""
