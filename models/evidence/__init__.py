"""Comparison of the models with published figures, and the generated pages of docs/models."""
