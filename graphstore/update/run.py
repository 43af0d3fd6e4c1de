"""One SPARQL update, from its text to its commit.

All operations of a request are one commit: evaluated first, under the lock of the fleet's one writer, then
journaled as the quads actually removed and added. An update that fails has written nothing.
"""

from __future__ import annotations

from ..interfaces import UpdateAnswer
from ..series.functions import SeriesFunctions
from .draft import Draft
from .evaluate import SolutionSource, evaluate
from .parse import parse_update
from .session import UpdateSession


def run_update(
    text: str,
    session: UpdateSession,
    functions: SeriesFunctions,
    pool: SolutionSource | None = None,
) -> UpdateAnswer:
    """Apply ``text``; patterns that may run away are answered by ``pool``, within its limits.

    Raises QueryError (not SPARQL, not allowed, over a limit), RuleError, ActionError, StoreError.
    """
    committer = session.committer
    operations = parse_update(text, committer.inputs)
    with committer.lock:
        draft = Draft(committer.store, session.names)
        evaluate(operations, draft, functions, pool)
        functions.check()
        changes = draft.changes()
        if not changes:
            return UpdateAnswer(None, 0, 0)
        return UpdateAnswer(session.commit(changes, draft.touched()), *draft.counts())
