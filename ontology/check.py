"""The check of an ontology: the OWL 2 DL profile, and HermiT's findings where Java is present.

::

    result = check([Path("core.ttl"), Path("domain.ttl")])
    assert result.consistent and not result.unsatisfiable and not result.problems

The reasoner is HermiT, through owlready2. It reads the ontology alone (classes, properties, literals of
enumerations), never twins' data. owlready2 reads N-Triples; pyoxigraph parses all other formats
first. Imports are not followed: name all files that belong together.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pyoxigraph import BlankNode, RdfFormat, Triple, parse, serialize

from ..errors import EnvironmentProblem, InputError
from .iris import OWL
from .profile import ProfileProblem, profile_problems

_FORMATS: Final = {
    ".ttl": RdfFormat.TURTLE,
    ".nt": RdfFormat.N_TRIPLES,
    ".rdf": RdfFormat.RDF_XML,
    ".owl": RdfFormat.RDF_XML,
    ".xml": RdfFormat.RDF_XML,
    ".n3": RdfFormat.N3,
}


@dataclass(frozen=True)
class Check:
    """The result of a check. ``consistent`` is None where no reasoner was asked."""

    triples: int
    problems: tuple[ProfileProblem, ...]
    consistent: bool | None
    unsatisfiable: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and self.consistent is not False and not self.unsatisfiable

    def to_json(self) -> dict[str, Any]:
        """Everything, for scripts."""
        return {
            "triples": self.triples,
            "consistent": self.consistent,
            "unsatisfiable": list(self.unsatisfiable),
            "problems": [problem._asdict() for problem in self.problems],
        }


def check(source: Path | Sequence[Path] | Iterable[Triple], *, reasoner: bool = True) -> Check:
    """Check files or triples; EnvironmentProblem where the reasoner is wanted and Java is missing."""
    triples = load(source)
    problems = tuple(profile_problems(triples))
    if not reasoner:
        return Check(len(triples), problems, None)
    consistent, unsatisfiable = reason(triples)
    return Check(len(triples), problems, consistent, unsatisfiable)


def load(source: Path | Sequence[Path] | Iterable[Triple]) -> list[Triple]:
    """The triples of all files, or the given triples; InputError where a file cannot be read."""
    items: list[Path | Triple] = [source] if isinstance(source, Path) else list(source)
    found: list[Triple] = []
    for number, item in enumerate(items):
        found += _parsed(item, number) if isinstance(item, Path) else [item]
    return found


def _parsed(path: Path, number: int) -> list[Triple]:
    format_ = _FORMATS.get(path.suffix.lower())
    if format_ is None:
        raise InputError(f"{path}: not an ontology file; give .ttl, .nt, .rdf, .owl or .n3")
    try:
        return [
            Triple(_apart(q.subject, number), q.predicate, _apart(q.object, number))
            for q in parse(path.read_bytes(), format=format_, base_iri=path.resolve().as_uri())
        ]
    except (OSError, SyntaxError, ValueError) as problem:
        raise InputError(f"{path}: cannot be read as {path.suffix} ({problem}); correct the file") from problem


def _apart(term: Any, number: int) -> Any:
    """Rename a blank node: those of different files are different."""
    return BlankNode(f"f{number}x{term.value}") if isinstance(term, BlankNode) else term


def reason(triples: Sequence[Triple]) -> tuple[bool, tuple[str, ...]]:
    """Whether the ontology is consistent, and the classes that can have no instance (HermiT)."""
    if shutil.which("java") is None:
        raise EnvironmentProblem(
            "the reasoner needs Java and no 'java' is on the PATH; install a Java 17 runtime, "
            "or check the profile alone with --profile-only"
        )
    import owlready2  # needed here only, and slow to import

    text = serialize((t for t in triples if t.predicate != OWL.imports), format=RdfFormat.N_TRIPLES) or b""
    world = owlready2.World()
    world.get_ontology("urn:voltwin:check").load(fileobj=io.BytesIO(text), format="ntriples")
    try:
        owlready2.sync_reasoner_hermit(world, debug=0)
    except owlready2.base.OwlReadyInconsistentOntologyError:
        return False, ()
    except (subprocess.CalledProcessError, owlready2.base.OwlReadyJavaError) as problem:
        raise InputError(f"HermiT refuses the ontology: {_first_line(problem)}; see the profile problems") from problem
    found = (c.iri for c in world.inconsistent_classes() if getattr(c, "iri", "") != f"{OWL.NS}Nothing")
    return True, tuple(sorted(found))


def _first_line(problem: Exception) -> str:
    output = getattr(problem, "output", None) or str(problem)
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else str(output)
    return next((line.strip() for line in text.splitlines() if "Exception" in line or "Error" in line), text[:200])
