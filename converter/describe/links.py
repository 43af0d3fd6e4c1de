"""The association that a link between two objects means.

    found, problem = LinkMatcher(associations, ids, lineage).match(link)

A link means the association it names, else the only one that the classes of its objects allow; where there
are several or none, the problem is returned for the report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..description.model import Association
from ..uml import elements as uml


class LinkMatch(NamedTuple):
    """An association that a link may mean; ``straight`` if the link's ends are in the association's order."""

    association: Association
    straight: bool = True


class LinkMatcher:
    """Matches links with associations.

    ``ids`` has the id of each class by its key, ``lineage`` returns the ids of an object's classes and their
    ancestors.
    """

    def __init__(
        self, associations: Iterable[Association], ids: dict[str, str], lineage: Callable[[str], Sequence[str]]
    ) -> None:
        self._lineage = lineage
        self._by_key: dict[str, Association] = {}
        self._keys: dict[str, str] = {}
        self._by_pair: dict[tuple[str, str], list[Association]] = defaultdict(list)
        for association in associations:
            self._by_key[association.key] = association
            self._keys[association.id] = association.key
            if len(association.ends) == 2:
                first, second = (ids[end.class_key] for end in association.ends)
                self._by_pair[first, second].append(association)

    def match(self, link: uml.InstanceLink) -> tuple[LinkMatch | None, str]:
        """The association that ``link`` means, None if that cannot be decided; and what is doubtful, if anything."""
        objects = [end.object for end in link.ends]
        if len(objects) != 2:
            return None, "a link of more than two objects"
        candidates = self._candidates(*objects)
        named = self._by_key.get(self._keys.get(link.association.id, link.association.name))
        if named is not None:
            if len(named.ends) != 2:
                return None, f"the association {named.key} has more than two ends; draw an object of its class instead"
            candidates = [c for c in candidates if c.association is named] or [LinkMatch(named)]
        words = {link.name, *link.stereotypes} - {""}
        by_name = [c for c in candidates if c.association.name in words]
        by_role = [c for c in candidates if _roles_fit(link, c)]
        for narrowed in (by_role, by_name):
            candidates = narrowed or candidates
        keys = {candidate.association.key for candidate in candidates}
        if not keys:
            return None, "no association joins the classes of these objects"
        if len(keys) > 1:
            return None, f"more than one association joins their classes: {', '.join(sorted(keys))}; name one of them"
        if len(candidates) > 1:
            first = next(c for c in candidates if c.straight)
            key = first.association.key
            return first, f"the link fits {key} both ways; its first end is taken as the association's first"
        return candidates[0], ""

    def _candidates(self, first: str, second: str) -> list[LinkMatch]:
        found: dict[tuple[str, bool], LinkMatch] = {}
        for a in self._lineage(first):
            for b in self._lineage(second):
                for pair, straight in (((a, b), True), ((b, a), False)):
                    for association in self._by_pair.get(pair, ()):
                        found[association.key, not straight] = LinkMatch(association, straight)
        return [found[key] for key in sorted(found)]


def _roles_fit(link: uml.InstanceLink, candidate: LinkMatch) -> bool:
    ends = candidate.association.ends if candidate.straight else candidate.association.ends[::-1]
    named = [(e.name.strip(), (end.path_name, end.name)) for e, end in zip(link.ends, ends, strict=True)]
    return any(name for name, _ in named) and all(not name or name in roles for name, roles in named)
