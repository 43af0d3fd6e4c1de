"""Open circuit voltage and state of charge, both ways."""
