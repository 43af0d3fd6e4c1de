"""UNIX-like paths: text -> syntax tree -> one SPARQL query, and back to text or a plain sentence."""
