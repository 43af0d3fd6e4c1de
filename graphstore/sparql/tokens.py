"""The tokens of SPARQL, for all readers of clauses, patterns and expressions.

>>> from voltwin.graphstore.sparql.tokens import read_tokens
>>> [token.text for token in read_tokens("?a-vtf:mean(?s,1.5) # as the grammar has it")]
['?a', '-', 'vtf:mean', '(', '?s', ',', '1.5', ')']
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_NAME_START: Final = r"[^\W\d_]"
_PREFIX: Final = rf"(?:{_NAME_START}(?:[\w.\-]*[\w\-])?)?"
_LOCAL_CHARACTER: Final = r"(?:[\w:]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%])"
_LOCAL: Final = rf"(?:{_LOCAL_CHARACTER}(?:(?:{_LOCAL_CHARACTER}|[.\-])*(?:{_LOCAL_CHARACTER}|-))?)?"

_TOKEN: Final = re.compile(
    rf"""(?P<space>\s+|\#[^\r\n]*)
      |(?P<string>'''(?:(?:'|'')?(?:[^'\\]|\\.))*'''|\"\"\"(?:(?:"|"")?(?:[^"\\]|\\.))*\"\"\"
                 |'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*")
      |(?P<iri><[^<>"{{}}|^`\\\x00-\x20]*>)
      |(?P<variable>[?$]\w+)
      |(?P<blank>_:\w(?:[\w.\-]*[\w\-])?)
      |(?P<name>{_PREFIX}:{_LOCAL})
      |(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+\-]?\d+)?)
      |(?P<tag>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
      |(?P<word>\w+)
      |(?P<open>[({{\[])|(?P<close>[)}}\]])
      |(?P<other>\^\^|\|\||&&|!=|<=|>=|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One token; ``depth`` counts the brackets around it, without its own for a bracket."""

    kind: str
    text: str
    start: int
    depth: int

    @property
    def end(self) -> int:
        """The position after its last character."""
        return self.start + len(self.text)

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords."""
        return self.kind == "word" and self.text.upper() in words


def read_tokens(text: str) -> list[Token]:
    """The tokens of ``text`` without white space and comments."""
    found: list[Token] = []
    depth = 0
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "space":
            continue
        depth -= kind == "close"
        found.append(Token(kind, match[0], match.start(), depth))
        depth += kind == "open"
    return found


def closing(tokens: Sequence[Token], opening: int) -> int:
    """The index of the bracket that closes the one at ``opening``; the last token without one."""
    depth = tokens[opening].depth
    for index in range(opening + 1, len(tokens)):
        if tokens[index].kind == "close" and tokens[index].depth <= depth:
            return index
    return len(tokens) - 1


def declared_prefixes(tokens: Sequence[Token]) -> dict[str, str]:
    """The prefixes declared by the text: ``{"vtf": "https://…"}``; relative IRIs stay relative."""
    return {
        name.text[:-1]: iri.text[1:-1]
        for word, name, iri in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if word.depth == 0 and word.is_word("PREFIX") and name.kind == "name" and iri.kind == "iri"
    }


def with_prefixes(text: str, prefixes: Mapping[str, str]) -> str:
    """``text`` with declarations of those ``prefixes`` that it uses and does not declare itself."""
    tokens = read_tokens(text)
    used = {token.text.partition(":")[0] for token in tokens if token.kind == "name"}
    missing = sorted((used & prefixes.keys()) - declared_prefixes(tokens).keys())
    return "".join(f"PREFIX {name}: <{prefixes[name]}> " for name in missing) + text
