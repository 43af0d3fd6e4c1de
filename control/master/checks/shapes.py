"""Every shape can be evaluated by the engine that validates, and means what it says."""

from __future__ import annotations

from collections.abc import Iterator

from .finding import DesignFinding, DesignUnderCheck


def check(design: DesignUnderCheck) -> Iterator[DesignFinding]:
    """An error for each shape that cannot be evaluated."""
    shapes = [quad.triple for quad in design.store.quads(None, None, None, design.names.shapes_graph)]
    if not shapes:
        return
    from ....graphstore.validation.probe import find_shape_problems  # slow to import, and a fleet may have no shapes

    for problem in find_shape_problems(shapes):
        yield DesignFinding("error", f"shape {problem.shape}", problem.reason, problem.suggestion)
