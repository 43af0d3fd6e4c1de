"""UML objects to a description. Import ``describe`` from ``builder``; the rest is its own."""
