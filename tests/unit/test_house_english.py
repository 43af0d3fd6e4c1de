"""Plain English in docstrings, comments and messages of the package: phrases that readers stumble over are banned."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
PACKAGES: list[str] = (
    tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["setuptools"]["packages"] if PROJECT.is_file() else []
)
FOLDERS = sorted({[*name.split("."), "."][1] for name in PACKAGES})
"""The package's own code: the files at the root ("."), and every folder of the package with its rooms."""

PHRASES = (
    r"let(?:s|ting)? go",
    r"what is to",
    r"anew",
    r"(?:no|some)body(?:'s)?",
    r"what [\w ]{1,40} comes? to",
    r"comes? and goes?",
    r"(?:comes?|goes?|went|go) there",
    r"gives? back",
    r"bears|bore|borne?",
    r"tak(?:es?|en|ing) in(?=$|\W* (?:what|by|at|one|while|a|the)\b|[,.;:])",
    r"(?:tells?|told) of",
    r"(?:is|are|was|were|be) told",
    r"(?:tells?|told) (?:what|which|whether|how|where|who)",
    r"(?:it was|is|are|was|were) believed",
    r"put(?:s|ting)? (?:it |them )?aside",
    r"st(?:ands?|ood) (?:beside|here|there|alone|twice|above|below|elsewhere|where|at|on|in)",
    r"(?:becomes?|became) of",
    r"ma(?:kes?|de) of (?:it|them)",
    r"a word of (?:it|them)",
    r"(?:is|are) to (?:be|do|go|have|know|see)",
    r"keeps? to (?:it|them)",
    r"sees? to it",
    r"in one go",
    r"at will",
    r"the last word",
    r"once and for all",
    r"as (?:it|they) (?:comes?|came)",
    r"has its say",
    r"(?:it|they|that|which) (?:is|are) none",
    r"(?-i:TODO|FIXME|XXX|HACK)",
)
"""Germanisms, verbs of motion for plain actions, and marks of unfinished work."""

BANNED = re.compile(rf"(?<!\w)(?:{'|'.join(PHRASES)})(?!\w)", re.IGNORECASE)
CLAUSE = re.compile(r"(?:What|Whatever|Who|Whose|Where)\b[^?]*$")
"""A first line with a clause as its subject ("What a run needs."), where a noun phrase or an imperative belongs."""


def python_files(root: Path, folder: str) -> list[Path]:
    files = (root / folder).glob("*.py") if folder == "." else (root / folder).rglob("*.py")
    return sorted(files)


def texts(source: str) -> Iterator[tuple[int, str, bool]]:
    """Every comment and string literal: its line, its text on one line, and whether it is a docstring."""
    tree = ast.parse(source)
    documenting = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            first, _, rest = node.value.strip().partition("\n\n")
            is_docstring = id(node) in documenting
            yield node.lineno, " ".join(first.split()), is_docstring
            yield node.lineno, " ".join(rest.split()), False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# "), False


def faults(source: str) -> Iterator[tuple[int, str]]:
    """The line and the words of every fault."""
    for line, text, is_docstring in texts(source):
        yield from ((line, found[0]) for found in BANNED.finditer(text))
        clause = CLAUSE.match(text) if is_docstring else None
        if clause:
            yield line, clause[0][:60]


@pytest.mark.parametrize("folder", FOLDERS)
def test_docstrings_comments_and_messages_are_plain_english(root: Path, folder: str) -> None:
    files = python_files(root, folder)
    assert files
    found = [
        f"{file.relative_to(root)}:{line}: {words}" for file in files for line, words in faults(file.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        '"""What a run needs."""',
        'def f():\n    """Return it.\n\n    It is done\n    anew each time."""',
        "x = 1  # TODO: more",
        "raise ValueError(f'{x}: nobody\\n has it')",
        'class A:\n    x: int\n    """Where it lies."""',
    ],
)
def test_a_fault_is_found(source: str) -> None:
    assert len(list(faults(source))) == 1


@pytest.mark.parametrize("source", ['"""What is asked of whom?"""', '"""Read a lot."""', "nobody = 1"])
def test_plain_english_is_no_fault(source: str) -> None:
    assert list(faults(source)) == []


def test_every_room_says_what_it_is_for_and_what_may_be_imported(root: Path) -> None:
    silent = []
    for path in (root.joinpath(*name.split(".")[1:]) for name in PACKAGES):
        text = ast.get_docstring(ast.parse((path / "__init__.py").read_text("utf-8"))) or ""
        sentences = re.findall(r"\.(?:\s|$)", text)
        if len(sentences) < 2 and "import" not in text.lower():
            silent.append(str(path.relative_to(root)))
    assert silent == []
