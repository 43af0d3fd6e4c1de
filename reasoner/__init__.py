"""What follows: rules with priorities, compiled to SPARQL CONSTRUCT, evaluated incrementally, explained."""
