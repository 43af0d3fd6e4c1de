"""The SPARQL 1.1 Protocol, Update, service description and Graph Store Protocol. ``app`` alone imports it."""
