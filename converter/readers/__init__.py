"""Model files to UML objects, a module a tool. Import ``open_model``, ``read_staruml`` and ``read_xmi`` from here."""
