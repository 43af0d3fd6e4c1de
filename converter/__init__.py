"""UML model -> description -> OWL, SHACL and instances.

    from voltwin.converter import convert, instances, ontology, shapes

    conversion = convert("model.mdj")
    print(conversion.report.text())
    triples = ontology(conversion.description)

Pure: values in, values out, no store. Import from here, and from the rooms ``description`` and ``writers`` for
what has no name here (``description.diff.compare``, ``writers.from_owl.description_from_owl``).
"""

from .convert import Conversion, convert, read
from .describe.builder import describe
from .description.json_format import dump_description, load_description
from .description.model import Description
from .report import Report
from .writers.graph import turtle
from .writers.instances import instances
from .writers.owl import ontology
from .writers.shacl import shapes

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
