"""Model files to UML objects. Import ``open_model`` (files), ``read_staruml`` (staruml) and ``read_xmi`` (xmi)."""
