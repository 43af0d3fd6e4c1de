"""Open circuit voltage and state of charge, both ways. Import ``model.OcvSocModel`` and ``files.CurveLibrary``."""
