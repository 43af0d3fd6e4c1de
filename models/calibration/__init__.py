"""Fit of a plant's parameters to its own tests: ``lots`` reads them, ``fit`` estimates."""
