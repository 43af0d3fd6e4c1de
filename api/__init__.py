"""What others see of a fleet: REST, the SPARQL protocol, web pages and the report."""
