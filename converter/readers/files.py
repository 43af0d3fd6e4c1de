"""The kind and content of a model file, without any trust in it.

    file = open_model(Path("model.mdj"))       # file.kind is Kind.STARUML, file.json {"_type": "Project", …}

The size is bounded, the encoding is checked, JSON too deep or too odd for the parser is an error in one
sentence, and XML is only recognised here; `xml_tree` parses it, and refuses entities.
"""

from __future__ import annotations

import codecs
import json
import re
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple

from ...errors import ModelFileError
from .staruml_tree import Sieve, TooManyElementsError

MAX_BYTES: Final = 96 * 1024 * 1024
"""The largest file that is read: a model of 100,000 elements with its diagrams has about half its size."""

MAX_BRACKETS: Final = 4_000_000
"""The most objects and lists in a JSON file: four times as many as in a full-sized file of StarUML's."""

_XML_ENCODING: Final = re.compile(rb"^<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:\-]{1,40})[\"']")
_NOT_TEXT: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7"})
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class Kind(Enum):
    """A kind of file that the converter reads."""

    STARUML = "StarUML"
    XMI = "XMI"
    DESCRIPTION = "description"


class ModelFile(NamedTuple):
    """A file's kind and its content: parsed JSON, or XML text."""

    kind: Kind
    name: str
    json: dict[str, Any]
    text: str
    sieve: Sieve


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The file's bytes; ModelFileError where it cannot be read or is larger than ``max_bytes``."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "there is no such file"
            raise ModelFileError(f"{path}: {what}; give a .mdj, .mfj, .uml, .xmi or description .json file")
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as problem:
        raise ModelFileError(f"{path}: cannot be read ({problem.strerror}); check its permissions") from problem
    if len(data) > max_bytes:
        raise ModelFileError(
            f"{path}: larger than {max_bytes // 1024 // 1024} MB, the most that is read; "
            "split the model into fragments or raise the limit with --max-megabytes"
        )
    return data


def open_model(path: Path, max_bytes: int = MAX_BYTES, *, sieved: bool = True) -> ModelFile:
    """Recognise and read ``path``; ModelFileError with the reason where that is not possible.

    With ``sieved``, a StarUML file is read without its views and diagrams; `Sieve` has them.
    """
    sieve = Sieve()
    data = read_bytes(path, max_bytes)
    start = data[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if not data.strip():
        raise ModelFileError(f"{path}: the file is empty; export the model again")
    if start == b"<":
        return ModelFile(Kind.XMI, path.stem, {}, _xml_text(path, data), sieve)
    if start in (b"{", b"["):
        content = _json(path, data, sieve if sieved else None)
        if isinstance(content, dict) and isinstance(content.get("_type"), str):
            return ModelFile(Kind.STARUML, path.stem, content, "", sieve)
        if sieved and sieve.layout:
            return open_model(path, max_bytes, sieved=False)
        if isinstance(content, dict) and content.get("format") == "voltwin-description":
            return ModelFile(Kind.DESCRIPTION, path.stem, content, "", sieve)
        raise ModelFileError(
            f'{path}: JSON, but neither a StarUML file (its root has "_type") nor a description '
            '(its root has "format": "voltwin-description")'
        )
    raise ModelFileError(f"{path}: {_guess(data)}; give a .mdj, .mfj, .uml, .xmi or description .json file")


def _guess(data: bytes) -> str:
    if data.startswith(b"PK"):
        return "a zip archive; unpack it first"
    if data.startswith(b"\x1f\x8b"):
        return "a gzip archive; unpack it first"
    if data.startswith(b"SQLite format 3") or b"\x00" in data[:4096]:
        return "a binary file, not JSON or XML"
    return "neither JSON nor XML"


def _json(path: Path, data: bytes, sieve: Sieve | None) -> object:
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as problem:
        raise ModelFileError(
            f"{path}: not valid {encoding} at byte {problem.start}; save it again from the UML tool"
        ) from problem
    if text.count("{") + text.count("[") > MAX_BRACKETS:
        raise ModelFileError(f"{path}: more than {MAX_BRACKETS} JSON objects and lists; split the model into fragments")
    try:
        content: object = json.loads(text, object_hook=sieve.hook if sieve is not None else None)
    except RecursionError as problem:
        raise ModelFileError(f"{path}: nested deeper than any UML model; the file is damaged or hostile") from problem
    except json.JSONDecodeError as problem:
        raise ModelFileError(
            f"{path}: not valid JSON at line {problem.lineno}, column {problem.colno} ({problem.msg}); "
            "the file may be cut off, save it again"
        ) from problem
    except TooManyElementsError as problem:
        raise ModelFileError(f"{path}: {problem}") from problem
    except ValueError as problem:
        raise ModelFileError(f"{path}: a number in the JSON cannot be read ({problem})") from problem
    if _SURROGATE_ESCAPE.search(text):
        whole = [content, sieve.layout if sieve is not None else []]
        _mend_surrogates(whole)
        content = whole[0]
    return content


def _mend_surrogates(content: list[Any]) -> None:
    """Replace halves of surrogate pairs by U+FFFD: they are no characters, and no encoding has them.

    Changes ``content`` itself, in a loop: the JSON parser in C accepts deeper nesting than Python's recursion.
    """
    waiting: list[Any] = [content]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            mended = {_mended(key): _mended(value) for key, value in here.items()}
            here.clear()
            here.update(mended)
            waiting += mended.values()
        elif isinstance(here, list):
            here[:] = [_mended(value) for value in here]
            waiting += here


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, tuple):
        return tuple(_mended(part) for part in value)
    return value


def _xml_text(path: Path, data: bytes) -> str:
    """The text of an XML file in the encoding it declares; also multi-byte ones, which expat lacks."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif data[:2] in (b"<\x00", b"\x00<"):
        encoding = "utf-16-le" if data[0] else "utf-16-be"
    else:
        declared = _XML_ENCODING.match(data.removeprefix(codecs.BOM_UTF8).lstrip())
        encoding = declared.group(1).decode("ascii") if declared else "utf-8"
        if data.startswith(codecs.BOM_UTF8):
            encoding = "utf-8"
    refusal = f"{path}: its XML declares {encoding!r}, which is no encoding of XML; save it as UTF-8"
    try:
        if codecs.lookup(encoding).name in _NOT_TEXT:
            raise ModelFileError(refusal)
        text = data.decode(encoding)
    except LookupError as problem:
        raise ModelFileError(refusal) from problem
    except UnicodeDecodeError as problem:
        raise ModelFileError(
            f"{path}: not valid {encoding} at byte {problem.start}, though its XML declares it; save it as UTF-8"
        ) from problem
    return text.removeprefix("\ufeff")
