"""Any SPARQL 1.1 endpoint as a triple store. Import ``open_endpoint`` from ``store``; the rest is its own."""
