"""voltwin: from a UML model to a running fleet of battery digital twins in one knowledge graph."""
