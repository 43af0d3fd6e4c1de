"""XMI as Eclipse, Papyrus, Enterprise Architect and Visual Paradigm write it."""

from pathlib import Path

import pytest

from voltwin.converter import Conversion, convert, instances, ontology
from voltwin.ontology.iris import OWL, QUDT, RDF, RDFS, VT
from voltwin.ontology.naming import Naming

ECLIPSE = """<?xml version="1.0" encoding="UTF-8"?>
<xmi:XMI xmi:version="20131001" xmlns:xmi="http://www.omg.org/spec/XMI/20131001"
    xmlns:uml="http://www.eclipse.org/uml2/5.0.0/UML" xmlns:P="http:///schemas/Battery/_x/1">
  <uml:Model xmi:id="m" name="Pack model">
    <packagedElement xmi:type="uml:Package" xmi:id="p" name="product">
      <packagedElement xmi:type="uml:Class" xmi:id="module" name="Module">
        <ownedComment xmi:id="c1" annotatedElement="module"><body>A battery module.</body></ownedComment>
        <ownedAttribute xmi:id="cells" name="cells" type="cell" association="has" aggregation="composite">
          <lowerValue xmi:type="uml:LiteralInteger" xmi:id="l1" value="12"/>
          <upperValue xmi:type="uml:LiteralUnlimitedNatural" xmi:id="u1" value="12"/>
        </ownedAttribute>
        <ownedAttribute xmi:id="serial" name="serial" isReadOnly="true" isID="true">
          <type xmi:type="uml:PrimitiveType" href="pathmap://UML_LIBRARIES/UMLPrimitiveTypes.library.uml#String"/>
        </ownedAttribute>
        <ownedAttribute xmi:id="tags" name="remarks">
          <type xmi:type="uml:PrimitiveType" href="pathmap://UML_LIBRARIES/UMLPrimitiveTypes.library.uml#String"/>
          <lowerValue xmi:type="uml:LiteralInteger" xmi:id="l2"/>
          <upperValue xmi:type="uml:LiteralUnlimitedNatural" xmi:id="u2" value="*"/>
        </ownedAttribute>
        <ownedRule xmi:id="r1" name="limit" constrainedElement="serial">
          <specification xmi:type="uml:OpaqueExpression" xmi:id="s1"><body>size() = 8</body></specification>
        </ownedRule>
      </packagedElement>
      <packagedElement xmi:type="uml:Class" xmi:id="cell" name="Cell" isAbstract="true">
        <ownedAttribute xmi:id="v" name="voltage">
          <eAnnotations source="voltwin"><details key="unit" value="V"/></eAnnotations>
          <type xmi:type="uml:PrimitiveType" href="pathmap://UML_LIBRARIES/UMLPrimitiveTypes.library.uml#Real"/>
          <defaultValue xmi:type="uml:LiteralReal" xmi:id="d1" value="3.6"/>
        </ownedAttribute>
      </packagedElement>
      <packagedElement xmi:type="uml:Class" xmi:id="nmc" name="NmcCell">
        <generalization xmi:id="g1" general="cell" generalizationSet="set"/>
      </packagedElement>
      <packagedElement xmi:type="uml:Class" xmi:id="lfp" name="LfpCell">
        <generalization xmi:id="g2" general="cell" generalizationSet="set"/>
      </packagedElement>
      <packagedElement xmi:type="uml:GeneralizationSet" xmi:id="set" name="chemistry" isCovering="true"
          isDisjoint="true" generalization="g1 g2"/>
      <packagedElement xmi:type="uml:Association" xmi:id="has" name="has" memberEnd="cells back">
        <ownedEnd xmi:id="back" name="module" type="module" association="has"/>
      </packagedElement>
      <packagedElement xmi:type="uml:InstanceSpecification" xmi:id="m1" name="module-1" classifier="module">
        <slot xmi:id="sl1" definingFeature="serial">
          <value xmi:type="uml:LiteralString" xmi:id="v1" value="A-17"/></slot>
      </packagedElement>
      <packagedElement xmi:type="uml:InstanceSpecification" xmi:id="c7" name="cell-07" classifier="nmc"/>
      <packagedElement xmi:type="uml:InstanceSpecification" xmi:id="k1" classifier="has">
        <slot xmi:id="sl2" definingFeature="cells">
          <value xmi:type="uml:InstanceValue" xmi:id="v2" instance="c7"/></slot>
        <slot xmi:id="sl3" definingFeature="back"><value xmi:type="uml:InstanceValue" xmi:id="v3" instance="m1"/></slot>
      </packagedElement>
    </packagedElement>
  </uml:Model>
  <P:Traced xmi:id="a1" base_Class="module" owner="plant" unit="V"/>
</xmi:XMI>
"""

VISUAL_PARADIGM = """<?xml version="1.0" encoding="{encoding}"?>
<xmi:XMI xmi:version="2.1" xmlns:uml="http://schema.omg.org/spec/UML/2.0" xmlns:xmi="http://schema.omg.org/spec/XMI/2.1">
  <xmi:Documentation exporter="Visual Paradigm" exporterVersion="7.0.2"/>
  <uml:Model name="Größe" xmi:id="m">
    <ownedMember isAbstract="false" name="Zelle" xmi:id="a" xmi:type="uml:Class">
      <ownedAttribute aggregation="none" name="größe" type="int_id" xmi:id="b" xmi:type="uml:Property"/>
    </ownedMember>
    <ownedMember name="Modul" xmi:id="d" xmi:type="uml:Class"/>
    <ownedMember xmi:id="int_id" name="int" xmi:type="uml:DataType"/>
    <ownedMember xmi:id="as" xmi:type="uml:Association">
      <memberEnd xmi:idref="e1"/><memberEnd xmi:idref="e2"/>
      <ownedEnd aggregation="composite" association="as" isNavigable="true" name="zellen" type="a" xmi:id="e1"
          xmi:type="uml:Property">
        <lowerValue value="0" xmi:type="uml:LiteralInteger"/><upperValue value="*" xmi:type="uml:LiteralString"/>
      </ownedEnd>
      <ownedEnd aggregation="none" association="as" isNavigable="true" name="modul" type="d" xmi:id="e2"
          xmi:type="uml:Property"/>
    </ownedMember>
  </uml:Model>
</xmi:XMI>
"""


@pytest.fixture
def eclipse(tmp_path: Path) -> Conversion:
    path = tmp_path / "m.uml"
    path.write_text(ECLIPSE, encoding="utf-8")
    return convert(path)


def test_every_xml_element_is_accounted_for(eclipse: Conversion) -> None:
    opening = ECLIPSE.count("<") - ECLIPSE.count("</") - ECLIPSE.count("<?")
    assert len(eclipse.report.entries) == opening == sum(eclipse.report.counts().values())
    left_out = {e.id: e.reason for e in eclipse.report.entries if e.outcome == "ignored"}
    assert "profile Battery is not known" in left_out["a1"]
    assert eclipse.report.warnings == ()


def test_eclipse_means_what_it_says(eclipse: Conversion) -> None:
    classes = {c.name: c for c in eclipse.description.classes}
    assert classes["Module"].documentation == "A battery module."
    assert classes["Module"].stereotypes == ("Traced",)
    assert classes["Cell"].abstract
    assert classes["NmcCell"].parents == ("product::Cell",)
    attributes = {f.name: f for c in classes.values() for f in c.attributes}
    serial, remarks, voltage = (attributes[n] for n in ("serial", "remarks", "voltage"))
    assert (serial.datatype, serial.lower, serial.upper) == ("xsd:string", 1, 1)
    assert serial.read_only
    assert serial.identifier
    assert serial.constraints == ("limit: size() = 8",)
    assert (remarks.lower, remarks.upper) == (0, None)
    assert (voltage.datatype, voltage.unit, voltage.default) == ("xsd:double", "V", "3.6")
    triples = ontology(eclipse.description)
    assert {OWL.members, OWL.unionOf} <= {t.predicate for t in triples}
    parts = [t.subject.value for t in triples if (t.predicate, t.object) == (RDFS.subPropertyOf, VT.hasPart)]
    assert parts == ["https://voltwin.example/models/pack-model/product#Module.cells"]
    assert [t.object.value for t in triples if t.predicate == QUDT.hasUnit] == ["http://qudt.org/vocab/unit/V"]


def test_links_are_instances_of_associations(eclipse: Conversion) -> None:
    base = "https://voltwin.example/models/pack-model/product#"
    quads = instances(eclipse.description, Naming("https://fleet.example/"))
    assert (f"{base}module-1", f"{base}module-1/cells/cell-07") in {
        (q.subject.value, q.object.value) for q in quads if q.predicate.value.endswith("Module.cells")
    }
    assert "A-17" in {q.object.value for q in quads}
    assert {q.object.value for q in quads if q.predicate == RDF.type} >= {f"{base}NmcCell", f"{base}Cell"}


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "utf-16", "iso-8859-15", "gb18030"])
def test_visual_paradigm_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "m.xmi"
    path.write_bytes(VISUAL_PARADIGM.format(encoding=encoding).encode(encoding))
    found = convert(path)
    assert found.description.name == "Größe"
    ends = {e.path_name: e for a in found.description.associations for e in a.ends}
    assert ends["modul"].aggregation == "composite"
    assert (ends["zellen"].lower, ends["zellen"].upper, ends["zellen"].class_key) == (0, None, "Zelle")
    # Visual Paradigm leaves out what nobody set: no multiplicity was drawn
    assert (ends["modul"].multiplicity, ends["modul"].upper) == (None, None)
    assert next(c for c in found.description.classes if c.name == "Zelle").attributes[0].datatype == "xsd:integer"
    assert found.report.format == "XMI, Visual Paradigm"


ENTERPRISE_ARCHITECT = """<?xml version="1.0" encoding="windows-1252"?>
<xmi:XMI xmi:version="2.1" xmlns:uml="http://schema.omg.org/spec/UML/2.1" xmlns:xmi="http://schema.omg.org/spec/XMI/2.1">
  <xmi:Documentation exporter="Enterprise Architect" exporterVersion="6.5"/>
  <uml:Model xmi:type="uml:Model" name="EA_Model" visibility="public">
    <packagedElement xmi:type="uml:Package" xmi:id="P" name="Zellen">
      <packagedElement xmi:type="uml:Class" xmi:id="C" name="Zelle">
        <ownedAttribute xmi:type="uml:Property" xmi:id="A" name="temperatur">
          <type xmi:idref="EAJava_double"/>
        </ownedAttribute>
        <ownedAttribute xmi:type="uml:Property" xmi:id="E1" association="L" aggregation="none">
          <type xmi:idref="M"/>
        </ownedAttribute>
      </packagedElement>
      <packagedElement xmi:type="uml:Class" xmi:id="M" name="Messger\xe4t"/>
      <packagedElement xmi:type="uml:Association" xmi:id="L">
        <memberEnd xmi:idref="E1"/>
        <memberEnd xmi:idref="E2"/>
        <ownedEnd xmi:type="uml:Property" xmi:id="E2" association="L"><type xmi:idref="C"/></ownedEnd>
      </packagedElement>
    </packagedElement>
  </uml:Model>
  <xmi:Extension extender="Enterprise Architect" extenderID="6.5">
    <elements>
      <element xmi:idref="C" xmi:type="uml:Class" name="Zelle">
        <properties documentation="Eine Zelle." stereotype="entity"/>
        <tags><tag xmi:id="T1" name="exactMatch" value="urn:x:Cell#NOTES#"/></tags>
        <attributes>
          <attribute xmi:idref="A" name="temperatur">
            <documentation value="Am Geh\xe4use."/>
            <tags><tag xmi:id="T2" name="unit" value="DEG_C"/></tags>
          </attribute>
        </attributes>
      </element>
    </elements>
    <primitivetypes>
      <packagedElement xmi:type="uml:PrimitiveType" xmi:id="EAJava_double" name="double"/>
    </primitivetypes>
  </xmi:Extension>
</xmi:XMI>
"""


def test_enterprise_architect_with_its_extension(tmp_path: Path) -> None:
    path = tmp_path / "m.xmi"
    path.write_bytes(ENTERPRISE_ARCHITECT.encode("windows-1252"))
    found = convert(path)
    classes = {c.name: c for c in found.description.classes}
    assert set(classes) == {"Zelle", "Messgerät"}
    cell = classes["Zelle"]
    assert (cell.documentation, cell.stereotypes, cell.exact_match) == ("Eine Zelle.", ("entity",), ("urn:x:Cell",))
    (temperature,) = cell.attributes
    assert (temperature.datatype, temperature.unit, temperature.documentation) == ("xsd:double", "DEG_C", "Am Gehäuse.")
    (association,) = found.description.associations
    assert {e.path_name: e.navigable for e in association.ends} == {"messgerät": True, "zelle": False}
    assert found.report.warnings == ()
    assert {e.name: e.outcome for e in found.report.entries if e.type == "tag"} == {
        "exactMatch": "converted",
        "unit": "converted",
    }


def test_an_association_of_three_is_a_class(tmp_path: Path) -> None:
    path = tmp_path / "m.uml"
    ends = "".join(f'<ownedEnd xmi:id="e{n}" name="{n}" type="{n}" association="t"/>' for n in "abc")
    classes = "".join(f'<packagedElement xmi:type="uml:Class" xmi:id="{n}" name="{n.upper()}"/>' for n in "abc")
    path.write_text(
        '<uml:Model xmi:version="2.1" xmlns:xmi="http://www.omg.org/XMI" xmlns:uml="http://www.eclipse.org/uml2/3.0.0/UML"'
        f' xmi:id="m" name="M">{classes}<packagedElement xmi:type="uml:Association" xmi:id="t" name="T" '
        f'memberEnd="ea eb ec">{ends}</packagedElement></uml:Model>'
    )
    found = convert(path).description
    together = next(c for c in found.classes if c.name == "T")
    assert {f.path_name: (f.class_key, f.lower, f.upper) for f in together.attributes} == {
        "a": ("A", 1, 1),
        "b": ("B", 1, 1),
        "c": ("C", 1, 1),
    }


@pytest.mark.parametrize("said", ['value="plant"', '><value value="plant"/></taggedValue><unread a="b"'])
def test_what_visual_paradigm_says_in_its_extension(tmp_path: Path, said: str) -> None:
    path = tmp_path / "m.xmi"
    extension = (
        '<xmi:Extension extender="Visual Paradigm"><qualityScore value="-1"/><documentation value="Of the pack."/>'
        '<appliedStereotype xmi:value="Class_Traced_id"/><appliedStereotype xmi:value="Class_Gone_id"/>'
        f'<taggedValues><taggedValue name="owner" {said}/></taggedValues></xmi:Extension>'
    )
    path.write_text(
        '<xmi:XMI xmi:version="2.1" xmlns:uml="http://schema.omg.org/spec/UML/2.0" '
        'xmlns:xmi="http://schema.omg.org/spec/XMI/2.1"><xmi:Documentation exporter="Visual Paradigm"/>'
        f'<uml:Model xmi:id="m" name="M"><ownedMember xmi:type="uml:Class" xmi:id="c" name="Cell">{extension}'
        '</ownedMember><ownedMember name="Traced" xmi:id="Class_Traced_id" xmi:type="uml:Stereotype"/>'
        "</uml:Model></xmi:XMI>"
    )
    found = convert(path)
    cell = next(c for c in found.description.classes if c.id == "c")
    assert cell.stereotypes == ("Traced", "Gone")
    assert cell.documentation == "Of the pack."
    assert cell.tags == (("owner", "plant"),)
    outcome = {e.type: e.outcome for e in found.report.entries}
    assert outcome["taggedValue"] == "annotated"
    assert outcome["qualityScore"] == "ignored"


def test_what_staruml_exports_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "m.xmi"
    path.write_text(
        '<xmi:XMI xmi:version="2.1" xmlns:uml="http://schema.omg.org/spec/UML/2.0" '
        'xmlns:xmi="http://schema.omg.org/spec/XMI/2.1"><xmi:Documentation exporter="StarUML" exporterVersion="2.0"/>'
        '<uml:Model xmi:id="m" xmi:type="uml:Model" name="RootModel"><packagedElement xmi:id="c" xmi:type="uml:Class" '
        'name="Battery%20cell"><xmi:Extension extender="StarUML"><documentation value="One%20cell,%20100%25."/>'
        '<tag owner="plant%20A"/></xmi:Extension><ownedAttribute xmi:id="a" xmi:type="uml:Property" name="t">'
        '<xmi:Extension extender="StarUML"><tag unit="DEG_C"/></xmi:Extension></ownedAttribute></packagedElement>'
        "</uml:Model></xmi:XMI>"
    )
    (cell,) = convert(path).description.classes
    assert (cell.name, cell.documentation, cell.tags) == ("Battery cell", "One cell, 100%.", (("owner", "plant A"),))
    assert cell.attributes[0].unit == "DEG_C"
