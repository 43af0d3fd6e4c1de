"""One SPARQL update, from its text to its commit.

All operations of a request are one commit: worked out first, under the lock of the fleet's one writer, then
journaled as the quads that really come and go. An update that fails has written nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pyoxigraph import NamedNode

from ...ontology.naming import Naming
from ..interfaces import Entry, Function, UpdateAnswer
from ..journal.commit import Committer
from .draft import Draft
from .evaluate import Asking, evaluate
from .parse import parse_update
from .write import DesignValidator, commit_validated


def run_update(
    text: str,
    committer: Committer,
    names: Naming,
    guard: DesignValidator,
    functions: Mapping[NamedNode, Function],
    author: str,
    time: datetime,
    ask: Asking | None = None,
) -> UpdateAnswer:
    """Carry ``text`` out; patterns that may run away are answered by ``ask``, within its limits.

    Raises QueryError (not SPARQL, not allowed, over a limit), RuleError, ActionError, StoreError.
    """
    operations = parse_update(text)
    with committer.lock:
        draft = Draft(committer.store, names)
        evaluate(operations, draft, functions, ask)
        changes = draft.changes()
        if not changes:
            return UpdateAnswer(None, 0, 0)
        sequence = commit_validated(committer, names, guard, Entry(author, time, changes), draft.touched())
        return UpdateAnswer(sequence, *draft.counts())
