"""UML model -> description -> OWL, SHACL and instances.

    from voltwin.converter import convert, instances, ontology, shapes

    conversion = convert("module.mdj")
    print(conversion.report.text())
    triples = ontology(conversion.description)

Pure: values in, values out; nothing here knows a store.
"""

from .convert import Conversion, convert, read
from .describe import describe
from .description import Description
from .description_json import dump_description, load_description
from .graph import turtle
from .individuals import instances
from .owl import ontology
from .report import Report
from .shacl import shapes

__all__ = [
    "Conversion",
    "Description",
    "Report",
    "convert",
    "describe",
    "dump_description",
    "instances",
    "load_description",
    "ontology",
    "read",
    "shapes",
    "turtle",
]
