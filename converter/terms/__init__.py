"""Terms that models use: data types, units, alignments, literal values and kinds of instances.

Every room of the converter may import its modules.
"""
