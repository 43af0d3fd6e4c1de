"""The description of a model: frozen values, the JSON format, its checks, and the comparison of two versions.

For every room of the converter above it, and through ``voltwin.converter`` for everybody.
"""
