"""Rules with priorities: compiled to SPARQL CONSTRUCT, evaluated incrementally, and explained."""
