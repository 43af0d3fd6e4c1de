"""Descriptions as OWL, SHACL, twin instances and other formats, and OWL back to a description.

Import a writer from its module; ``voltwin.converter`` has the common ones.
"""
