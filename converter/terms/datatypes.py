"""The names of primitive types in UML tools and programming languages, and their XSD types.

>>> from voltwin.converter.terms.datatypes import xsd_for, type_text
>>> xsd_for("Real"), xsd_for("EString"), xsd_for("unsigned int"), xsd_for("Gear")
('xsd:double', 'xsd:string', 'xsd:integer', None)
>>> type_text("ArrayList<Gear>")
TypeText(name='Gear', many=True)

A duration is text (ISO 8601): some stores refuse xsd:duration. The framework's own notations (Path, Binding,
Expression) are text, too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from ...ontology.iris import XSD

_NAMES: Final[dict[str, str]] = {
    "xsd:string": "string str text char character varchar varchar2 nvarchar uuid guid estring echar echaracterobject "
    "qstring cstring path binding expression duration eduration timedelta json xml longtext mediumtext tinytext",
    "xsd:integer": "integer int long short byte bigint smallint tinyint unsigned uint size_t int8 int16 int32 int64 "
    "uint8 uint16 uint32 uint64 int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t eint elong eshort "
    "ebyte eintegerobject elongobject ebiginteger biginteger unlimitednatural natural positiveinteger "
    "nonnegativeinteger sbyte ushort ulong serial i32 i64 u32 u64",
    "xsd:double": "real double float float32 float64 edouble efloat edoubleobject efloatobject single f32 f64 number "
    "numeric",
    "xsd:decimal": "decimal bigdecimal ebigdecimal money currency",
    "xsd:boolean": "boolean bool eboolean ebooleanobject bit logical",
    "xsd:dateTime": "datetime timestamp instant zoneddatetime offsetdatetime localdatetime datetimeoffset datetime2 "
    "timestamptz",
    "xsd:date": "date localdate edate",
    "xsd:time": "time localtime timeonly",
    "xsd:anyURI": "uri url iri anyuri qurl",
}
_LOOKUP: Final = {name: xsd for xsd, names in _NAMES.items() for name in names.split()}
_C_WORDS: Final = frozenset(
    {"unsigned", "signed", "long", "short", "int", "char", "character", "double", "float", "precision", "varying"}
)
_PREFIX: Final = re.compile(r"^(?:java\.(?:lang|util|time|math)\.|std::|System\.|xsd?:|EA[A-Za-z#]*_)")
_WORDS: Final = re.compile(r"\b(?:const|volatile|unsigned|signed|final|static|mutable)\b")
_COLLECTION: Final = re.compile(
    r"^(?:std::|java\.util\.)?(?:Array|List|ArrayList|LinkedList|Set|HashSet|TreeSet|SortedSet|OrderedSet|Bag|Sequence"
    r"|Collection|Vector|Iterable|IEnumerable|ICollection|IList|Queue|Deque|Stack|QList|QVector|array|list|set|vector"
    r"|tuple|Seq|Observable|Many)\s*[<(\[]\s*(?P<inner>[^<>,]+)\s*[>)\]]$"
)
_OPTIONAL: Final = re.compile(
    r"^(?:std::)?(?:Optional|optional|Nullable|Maybe|shared_ptr|unique_ptr|Ref|Option)\s*[<\[]\s*(?P<inner>[^<>,]+)\s*[>\]]$"
)
_ARRAY: Final = re.compile(r"\s*(?:\[\s*[\w.*]*\s*\]\s*)+$")

SUPPORTED: Final = {
    f"xsd:{term.value.removeprefix(XSD.NS)}": term
    for term in (
        XSD.string, XSD.boolean, XSD.integer, XSD.decimal, XSD.double, XSD.dateTime, XSD.date, XSD.time, XSD.anyURI,
    )
}  # fmt: skip
"""The XSD types an attribute can have, by the names descriptions use."""


class TypeText(NamedTuple):
    """A type's name and whether the text is a collection of it."""

    name: str
    many: bool = False


@lru_cache(maxsize=4096)
def type_text(drawn: str) -> TypeText:
    """The type in a programmer's notation, without ``const``, pointers, arrays and collections."""
    name = " ".join(drawn.split())
    many = False
    without = _ARRAY.sub("", name)
    if without and without != name:
        name, many = without, True
    collection = _COLLECTION.match(name)
    if collection:
        return TypeText(type_text(collection.group("inner")).name, True)
    optional = _OPTIONAL.match(name)
    if optional:
        name = optional.group("inner")
    if name.endswith(("*", "&", "?")):
        name = name.rstrip("*&? ")
    stripped = _WORDS.sub("", name).strip()
    return TypeText(" ".join((stripped or name).split()), many)


@lru_cache(maxsize=4096)
def xsd_for(name: str) -> str | None:
    """The XSD type for a primitive type's name, None where the name is none of the usual ones."""
    plain = re.sub(r"\s*\(.*\)$", "", _PREFIX.sub("", name.strip())).lower()
    found = _LOOKUP.get(plain)
    if found is not None:
        return found
    words = set(plain.split())
    if not words or not words <= _C_WORDS:
        return None
    if words & {"double", "float"}:
        return "xsd:double"
    return "xsd:string" if words & {"char", "character"} else "xsd:integer"
