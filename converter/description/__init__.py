"""The description of a model: frozen values, the JSON format, its checks, and the comparison of two versions.

Import it in the rooms of the converter above this one; elsewhere import through ``voltwin.converter``.
"""
