"""Fit of a plant's parameters to its own tests. Import ``lots``, which reads them, and ``fit``, which estimates."""
