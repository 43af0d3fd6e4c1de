"""Any SPARQL 1.1 endpoint as a triple store. Import ``open_endpoint`` from ``store``; all else is internal."""
