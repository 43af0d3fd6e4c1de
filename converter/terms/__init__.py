"""Terms that models use: data types, units, alignments, literal values and kinds of instances."""
