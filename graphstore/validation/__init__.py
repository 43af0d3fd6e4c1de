"""SHACL over twins: each twin's closure is validated as a graph of its own, with pySHACL behind a protocol."""
