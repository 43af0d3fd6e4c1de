"""A description as OWL, SHACL, twin instances and other formats, and OWL back to a description."""
