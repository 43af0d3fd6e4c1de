"""Comparison of the models with published figures. Import ``pages.all_pages``, which writes docs/models."""
