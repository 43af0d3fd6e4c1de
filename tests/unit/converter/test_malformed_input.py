"""Files that are wrong, cut off, or meant to hurt: a sentence, no crash, no code run."""

import json
import random
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voltwin.converter import convert, instances
from voltwin.errors import ModelFileError, VoltwinError
from voltwin.ontology.naming import Naming

XMI = '<xmi:XMI xmlns:xmi="http://www.omg.org/spec/XMI/20131001" xmlns:uml="http://www.omg.org/spec/UML/20131001">'


def refused(path: Path, content: bytes | str, **options: int) -> str:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    with pytest.raises(ModelFileError) as caught:
        convert(path, **options)
    message = str(caught.value)
    assert str(path) in message
    return message


def test_wrong_files_are_told_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "m.mdj"
    assert "empty" in refused(path, "")
    assert "empty" in refused(path, " \n")
    assert "zip" in refused(path, b"PK\x03\x04...")
    assert "gzip" in refused(path, b"\x1f\x8b\x08....")
    assert "binary" in refused(path, b"\x7fELF\x00\x01")
    assert "neither JSON nor XML" in refused(path, "hello")
    assert "_type" in refused(path, "[]")
    assert "_type" in refused(path, '{"name": "x"}')
    assert "line 1, column 11" in refused(path, '{"_type": "P')
    assert "not valid utf-8 at byte 11" in refused(path, b'{"_type": "\xff"}')
    assert "number" in refused(path, '{"_type": "Project", "n": ' + "9" * 5000 + "}")
    with pytest.raises(ModelFileError, match="no such file"):
        convert(tmp_path / "missing.mdj")
    with pytest.raises(ModelFileError, match="folder"):
        convert(tmp_path)


def test_a_depth_bomb_is_refused_in_json_and_xml(tmp_path: Path) -> None:
    assert "deeper" in refused(tmp_path / "m.mdj", '{"_type":"Project","x":' + "[" * 200_000)
    deep = "<a>" * 100_000
    assert "deeper" in refused(tmp_path / "m.uml", f"{XMI}{deep}")


DOCUMENT_TYPES = {
    "billion laughs": '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">',
    "one long entity": f'<!ENTITY a "{"ha" * 1000}">',
    "an external entity": '<!ENTITY a SYSTEM "SECRET">',
    "an external entity by its public name": '<!ENTITY a PUBLIC "-//x//y" "SECRET">',
    "a parameter entity": "<!ENTITY % a \"<!ENTITY b 'ha'>\">%a;",
    "an external parameter entity": '<!ENTITY % a SYSTEM "SECRET">%a;',
    "a parameter entity that makes another": '<!ENTITY % a "&#37;b;"><!ENTITY % b "<!ENTITY c \'ha\'>">%a;',
    "an unparsed entity": '<!NOTATION n SYSTEM "n"><!ENTITY a SYSTEM "SECRET" NDATA n>',
    "a long default of an attribute": f'<!ATTLIST a x CDATA "{"ha" * 1000}">',
}
ENCODINGS = {
    "utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16", "utf-16-be": "UTF-16",
    "iso-8859-1": "iso-8859-1", "windows-1252": "windows-1252", "us-ascii": "us-ascii", "shift_jis": "shift_jis",
    "gb18030": "gb18030", "koi8-r": "koi8-r",
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", DOCUMENT_TYPES)
def test_declarations_are_refused_before_they_expand_in_every_encoding(
    tmp_path: Path, kind: str, encoding: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("<!ENTITY c 'secret'>")
    inside = DOCUMENT_TYPES[kind].replace("SECRET", secret.as_uri())
    head = f'<?xml version="1.0" encoding="{ENCODINGS[encoding]}"?>'
    body = '<uml:Model xmi:id="m" name="&a;&c;"><a/></uml:Model></xmi:XMI>'
    message = refused(tmp_path / "m.xmi", f"{head}<!DOCTYPE x [{inside}]>{XMI}{body}".encode(encoding))
    assert "declares the" in message
    assert "'a'" in message


def test_an_external_document_type_is_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.dtd"
    secret.write_text("<!ENTITY a 'secret'>")
    outside = f'<!DOCTYPE x SYSTEM "{secret.as_uri()}">{XMI}'
    path = tmp_path / "m.xmi"
    path.write_text(f'{outside}<uml:Model xmi:id="m" name="M"/></xmi:XMI>')
    assert convert(path).description.name == "M"
    path.write_text(f'{outside}<uml:Model xmi:id="m" name="M"><a>&a;</a></uml:Model></xmi:XMI>')
    assert "secret" not in json.dumps(convert(path).report.to_json()["entries"])


def test_text_of_many_pieces_is_joined_once(tmp_path: Path) -> None:
    text = ("x" * 79 + "\n") * 400_000
    body = f'<ownedComment xmi:id="k" annotatedElement="m"><body>{text}</body></ownedComment>'
    path = tmp_path / "m.xmi"
    path.write_text(f'{XMI}<uml:Model xmi:id="m" name="M">{body}</uml:Model></xmi:XMI>')
    assert len(convert(path).description.documentation) == len(text) - 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"_type":"Project","n":1' + "0" * 5000 + "}", "number"),
        ('{"_type":"Project","_id":"0","name":"caf\xe9"}'.encode("latin-1"), "not valid utf-8 at byte"),
        ('{"_type":"Project","_id":"0","name":"\u00e9'.encode()[:-1], "not valid utf-8"),
        ('{"_type":"Project","_id":"0","name":"P"}'.encode("utf-16")[:-1], "not valid utf-16"),
        ('{"_type":"Project",}', "not valid JSON"),
        ('{"_type":"Project"} {}', "not valid JSON"),
        ('{"_type":"Project"}\x00', "not valid JSON"),
        ("{'_type':'Project'}", "not valid JSON"),
    ],
)
def test_wrong_json_is_a_sentence(tmp_path: Path, content: bytes | str, said: str) -> None:
    assert said in refused(tmp_path / "m.mdj", content)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_json_in_every_encoding_it_may_have(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "m.mdj"
    path.write_bytes(json.dumps({"_type": "Project", "_id": "0", "name": "电池"}, ensure_ascii=False).encode(encoding))
    assert convert(path).description.name == "电池"


def test_numbers_that_json_does_not_have_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "m.mdj"
    attribute = '{"_type":"UMLAttribute","_id":"2","name":"x","type":"int","multiplicity":NaN,"defaultValue":-Infinity}'
    path.write_text(
        '{"_type":"Project","_id":1e999,"name":"P","ownedElements":[{"_type":"UMLClass","_id":"1","name":"A",'
        f'"attributes":[{attribute}]}}]}}'
    )
    conversion = convert(path)
    assert conversion.report.counts()["converted"] == 3
    assert "multiplicity" in {w.code for w in conversion.report.warnings}


def test_a_file_over_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "big.mdj"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    tracemalloc.start()
    with pytest.raises(ModelFileError, match="larger than 1 MB"):
        convert(path, max_bytes=1024 * 1024)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


def test_a_file_of_too_many_elements_is_refused_while_it_is_parsed(tmp_path: Path) -> None:
    head = '{"_type":"Project","x":['
    assert "objects and lists" in refused(tmp_path / "m.mdj", head + "[]," * 4_000_001 + "1]}")
    assert "model elements" in refused(tmp_path / "m.mdj", head + '{"_type":"A"},' * 500_001 + "1]}")
    assert "XML elements" in refused(tmp_path / "m.uml", f"{XMI}{'<a/>' * 1_000_001}</xmi:XMI>")


def test_xml_that_is_no_uml(tmp_path: Path) -> None:
    path = tmp_path / "m.xmi"
    assert "no UML model" in refused(path, "<html/>")
    assert "XMI 1.2" in refused(path, '<XMI xmi.version="1.2"/>')
    assert "line 1" in refused(path, f"{XMI}<cut")
    assert "unpack" not in refused(path, '<?xml version="1.0" encoding="punycode"?><x/>')
    assert "no encoding" in refused(path, '<?xml version="1.0" encoding="nonsense"?><x/>')
    assert "byte" in refused(path, b'<?xml version="1.0" encoding="ascii"?><x a="\xff"/>')


def test_model_text_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    attribute = {"_type": "UMLAttribute", "_id": "2", "name": text, "type": text, "multiplicity": text}
    cls = {"_type": "UMLClass", "_id": "1", "name": text, "attributes": [attribute]}
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps({"_type": "Project", "_id": "0", "name": text, "ownedElements": [cls]}))
    convert(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ownedElements": "x"},
        {"ownedElements": [1, None, "x", {"a": 1}, []]},
        {"ownedElements": [{"_type": "UMLClass"}]},
        {"ownedElements": [{"_type": "UMLClass", "_id": {"x": 1}, "name": 7, "attributes": {"a": 1}}]},
        {"ownedElements": [{"_type": "UMLGeneralization", "_id": "1", "source": 3, "target": {"$ref": "gone"}}]},
        {"ownedElements": [{"_type": "UMLAssociation", "_id": "1"}]},
        {
            "ownedElements": [
                {"_type": "UMLAssociation", "_id": "1", "end1": [], "end2": {"_type": "UMLAssociationEnd"}}
            ]
        },
        {"ownedElements": [{"_type": "UMLLink", "_id": "1", "end1": None}]},
        {"ownedElements": [{"_type": "UMLObject", "_id": "1", "name": "\ud800", "slots": [{"_type": "UMLSlot"}]}]},
        {"name": ["x"], "tags": [{"_type": "Tag", "name": None, "kind": "reference", "reference": {"$ref": "no"}}]},
        {"_id": None, "ownedElements": [{"_type": "UMLPackage", "ownedElements": [{"_type": "UMLPackage"}]}]},
    ],
)
def test_odd_shapes_are_read_as_far_as_they_go(tmp_path: Path, wrong: dict[str, object]) -> None:
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps({"_type": "Project", "_id": "0", **wrong}))
    report = convert(path).report
    assert sum(report.counts().values()) == len(report.entries)
    report.text(entries=True).encode("utf-8")


def test_half_a_character_is_mended_wherever_it_stands_and_however_deep(tmp_path: Path) -> None:
    view = '{"_type":"UMLClassView","_id":"v","name":"\\ud800"}'
    text = f'{{"_type":"UMLClass","_id":"c","name":"\\udc00","\\ud800":["\\ud83d\\udd0b"],"ownedElements":[{view}]}}'
    for number in range(400):
        text = f'{{"_type":"UMLPackage","_id":"p{number}","name":"P","ownedElements":[{text}]}}'
    path = tmp_path / "m.mdj"
    path.write_text(text)
    report = convert(path).report
    assert {e.name for e in report.entries} == {"P", "\ufffd"}
    report.text(entries=True).encode("utf-8")


SOURCE = (
    '{"_type":"Project","_id":"0","name":"P","ownedElements":[{"_type":"UMLClass","_id":"1","name":"A","attributes":'
    '[{"_type":"UMLAttribute","_id":"2","name":"x","type":"int"}]}]}'
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SOURCE) - 1), st.binary(max_size=3), st.integers(0, 20), st.sampled_from([".mdj", ".xmi"]))
def test_a_damaged_file_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, at: int, put: bytes, drop: int, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    source = SOURCE if suffix == ".mdj" else f'{XMI}<uml:Model name="M"><packagedElement/></uml:Model></xmi:XMI>'
    at = min(at, len(source))
    path.write_bytes(source[:at].encode() + put + source[at + drop :].encode())
    with suppress(VoltwinError):
        convert(path)


def test_a_name_given_twice_in_one_object_is_not_silent(tmp_path: Path) -> None:
    path = tmp_path / "m.mdj"
    one, two = (json.dumps([{"_type": "UMLClass", "_id": name, "name": name}]) for name in "AB")
    path.write_text(f'{{"_type":"Project","_id":"0","ownedElements":{one},"ownedElements":{two}}}')
    conversion = convert(path)
    assert [c.name for c in conversion.description.classes] == ["B"]
    assert [w.code for w in conversion.report.warnings] == ["duplicate-member"]


def test_a_class_inside_a_view_is_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "m.mdj"
    cls = {"_type": "UMLClass", "_id": "1", "name": "A"}
    diagram = {"_type": "UMLClassDiagram", "_id": "2", "ownedViews": [{"_type": "UMLClassView", "x": cls}]}
    path.write_text(json.dumps({"_type": "Project", "_id": "0", "ownedElements": [diagram]}))
    conversion = convert(path)
    assert [c.name for c in conversion.description.classes] == ["A"]
    assert conversion.report.counts() == {"converted": 2, "annotated": 0, "ignored": 2}


def chain(kind: str, number: int) -> list[dict[str, object]]:
    below = [{"_type": kind, "_id": f"c{i}", "name": f"C{i}"} for i in range(number)]
    return below + [  # type: ignore[return-value]  # JSON
        {"_type": "UMLGeneralization", "_id": f"g{i}", "source": {"$ref": f"c{i}"}, "target": {"$ref": f"c{i + 1}"}}
        for i in range(number - 1)
    ]


@pytest.mark.parametrize("kind", ["UMLClass", "UMLDataType"])
def test_endless_ancestors_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps({"_type": "Project", "_id": "0", "ownedElements": chain(kind, 20_000)}))
    with pytest.raises(ModelFileError, match="generations"):
        convert(path)


def test_parts_nested_without_end_and_in_circles_stand_alone(tmp_path: Path) -> None:
    ends = {
        f"end{n}": {"_type": "UMLAssociationEnd", "_id": f"e{n}", "reference": {"$ref": "1"}, "name": name} | extra
        for n, name, extra in ((1, "whole", {"aggregation": "composite"}), (2, "part", {}))
    }
    cls = {"_type": "UMLClass", "_id": "1", "name": "A"}
    association = {"_type": "UMLAssociation", "_id": "2", **ends}
    objects = [{"_type": "UMLObject", "_id": f"o{i}", "name": f"o{i}", "classifier": {"$ref": "1"}} for i in range(300)]
    links = [
        {
            "_type": "UMLLink",
            "_id": f"l{i}",
            "end1": {"_type": "UMLLinkEnd", "_id": f"x{i}", "reference": {"$ref": f"o{i}"}, "name": "whole"},
            "end2": {"_type": "UMLLinkEnd", "_id": f"y{i}", "reference": {"$ref": f"o{(i + 1) % 300}"}, "name": "part"},
        }
        for i in range(300)
    ]
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps({"_type": "Project", "_id": "0", "ownedElements": [cls, association, *objects, *links]}))
    conversion = convert(path)
    codes = {w.code for w in conversion.report.warnings}
    assert {"circular-part", "deep-part"} <= codes
    quads = instances(conversion.description, Naming("https://fleet.example/"))
    assert len({q.subject for q in quads}) == 300


def test_ten_thousand_copies_of_one_id_take_no_longer_than_they_must(tmp_path: Path) -> None:
    chance = random.Random(1)
    owned = [{"_type": "UMLClass", "_id": "same", "name": chance.choice("AB")} for _ in range(10_000)]
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps({"_type": "Project", "_id": "0", "ownedElements": owned}))
    description = convert(path).description
    assert len({c.iri for c in description.classes}) == 10_000
