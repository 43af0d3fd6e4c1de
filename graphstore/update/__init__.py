"""SPARQL Update and bulk loads: both become the quads that really come and go, and then a commit like any other."""
