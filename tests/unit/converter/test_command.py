"""``voltwin convert`` and ``voltwin ontology check`` as people type them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyoxigraph import RdfFormat, parse

from voltwin.converter import convert, dump_description, ontology
from voltwin.errors import EnvironmentProblem, InputError
from voltwin.ontology.check import check
from voltwin.verbs.convert import convert as command
from voltwin.verbs.ontology import ontology as group

from .conftest import Maker


@pytest.fixture
def model(tmp_path: Path, uml: Maker) -> Path:
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps(uml.project(uml.cls("Cell", uml.attr("v", "Real"), uml.attr("w", "Mystery")))))
    return path


def run(*words: object) -> str:
    result = CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_all_outputs(tmp_path: Path, model: Path) -> None:
    outs = {name: tmp_path / f"out.{name}" for name in ("description", "owl", "shacl", "instances")}
    shown = run(model, *(word for name, path in outs.items() for word in (f"--{name}", path)))
    assert "5 elements, 5 converted" in shown
    assert "1 warning; --report lists them" in shown
    assert outs["description"].read_text() == dump_description(convert(model).description)
    for name, format_ in (("owl", RdfFormat.TURTLE), ("shacl", RdfFormat.TURTLE), ("instances", RdfFormat.TRIG)):
        list(parse(outs[name].read_bytes(), format=format_))
    assert json.loads(run(model, "--json"))["outcomes"]["converted"] == 5


def test_a_description_is_taken_as_input_and_gives_the_same_ontology(tmp_path: Path, model: Path) -> None:
    text = run(model, "--description", "-")
    description = tmp_path / "m.json"
    description.write_text(text[: text.rindex("}") + 1])
    assert ontology(convert(description).description) == ontology(convert(model).description)


def test_the_report_names_what_was_not_converted(model: Path) -> None:
    shown = run(model, "--report")
    assert "UMLAttribute" in shown
    assert "unresolved-type: Cell::w: the type 'Mystery' is unknown" in shown


def test_strict_turns_warnings_into_exit_code_one(model: Path) -> None:
    result = CliRunner().invoke(command, [str(model), "--strict"])
    assert result.exit_code == 1
    assert "1 warnings, and --strict allows none" in result.stderr


def test_diff(tmp_path: Path, model: Path) -> None:
    other = tmp_path / "n.mdj"
    other.write_text(model.read_text().replace('"Mystery"', '"int"'))
    assert "its values change from xsd:string to xsd:integer" in run("--diff", model, other)
    rows = json.loads(run("--diff", model, other, "--json").rpartition("]")[0] + "]")
    assert rows[0]["effect"] == "breaking"
    result = CliRunner().invoke(command, ["--diff", str(model), str(other), "--strict"])
    assert result.exit_code == 1
    assert "--strict allows none" in result.stderr


def test_no_model_and_no_place_to_write(tmp_path: Path, model: Path) -> None:
    with pytest.raises(InputError, match="no model given"):
        run()
    with pytest.raises(InputError, match="cannot be written"):
        run(model, "--description", tmp_path / "no" / "such" / "folder.json")


def test_ontology_check(tmp_path: Path, model: Path) -> None:
    good = tmp_path / "good.ttl"
    run(model, "--owl", good)
    result = CliRunner().invoke(group, ["check", "--profile-only", "--json", str(good)])
    assert json.loads(result.output) == {
        "triples": result_count(good),
        "consistent": None,
        "unsatisfiable": [],
        "problems": [],
    }
    bad = tmp_path / "bad.ttl"
    bad.write_text(
        "@prefix owl: <http://www.w3.org/2002/07/owl#> . <urn:p> a owl:ObjectProperty, owl:DatatypeProperty .", "utf-8"
    )
    result = CliRunner().invoke(group, ["check", "--profile-only", str(good), str(bad)])
    assert "punned-property: urn:p" in result.output
    assert result.exit_code == 1


def result_count(path: Path) -> int:
    return len(list(parse(path.read_bytes(), format=RdfFormat.TURTLE)))


def test_without_java_the_check_says_what_to_do(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="--profile-only"):
        check(ontology(convert(model).description))


@pytest.mark.skipif(shutil.which("java") is None, reason="the reasoner needs Java")
def test_the_reasoner_finds_what_cannot_be(tmp_path: Path, uml: Maker) -> None:
    base = uml.cls("Base", tags=uml.tags(disjoint="true"))
    one, two, both = uml.cls("One"), uml.cls("Two"), uml.cls("Both")
    base["ownedElements"] = [uml.gen(one, base), uml.gen(two, base), uml.gen(both, one), uml.gen(both, two)]
    path = tmp_path / "m.mdj"
    path.write_text(json.dumps(uml.project(base, one, two, both)))
    found = check(ontology(convert(path).description))
    assert found.consistent
    assert found.unsatisfiable == ("https://voltwin.example/models/test#Both",)
    assert not found.good
