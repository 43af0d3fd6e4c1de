"""The list of packages, their data and the dependencies agree with what is on disk (docs/adr/0001, 0005)."""

from __future__ import annotations

import ast
import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from voltwin.errors import EXTRAS

NO_PACKAGES = {"tests", "docs", "benchmarks", "examples", "deploy", "build", "dist", "out", "demo-fleet"}


@pytest.fixture(scope="module")
def project(root: Path) -> Any:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def tracked(root: Path) -> Any:
    """The files of the repository, without those deleted just now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git work tree, or no git")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [name for name in names if (root / name).is_file() and not name.startswith(".typing/")]


def packages_on_disk(root: Path) -> set[str]:
    found = {"voltwin"}
    for init in root.rglob("__init__.py"):
        parts = init.relative_to(root).parts[:-1]
        if parts and parts[0] not in NO_PACKAGES and not any(part.startswith(".") for part in parts):
            found.add(".".join(("voltwin", *parts)))
    return found


def test_every_package_is_listed(root: Path, project: Any) -> None:
    setuptools = project["tool"]["setuptools"]
    assert setuptools["package-dir"] == {"voltwin": "."}
    assert sorted(setuptools["packages"]) == sorted(packages_on_disk(root))


def test_every_folder_with_code_is_a_package(root: Path, tracked: Any) -> None:
    folders = {str(Path(name).parent) for name in tracked if name.endswith(".py")}
    code = {folder for folder in folders if folder.split("/")[0] not in NO_PACKAGES}
    assert [folder for folder in sorted(code) if not (root / folder / "__init__.py").is_file()] == []


def test_every_data_file_ships(project: Any, tracked: Any) -> None:
    packages = set(project["tool"]["setuptools"]["packages"])
    patterns = project["tool"]["setuptools"]["package-data"]
    missing = []
    for name in tracked:
        parts = name.split("/")
        if len(parts) == 1 or parts[0] in NO_PACKAGES or parts[0].startswith(".") or name.endswith(".py"):
            continue
        depth = max(n for n in range(len(parts)) if ".".join(("voltwin", *parts[:n])) in packages)
        package, rest = ".".join(("voltwin", *parts[:depth])), "/".join(parts[depth:])
        allowed = [*patterns.get("*", []), *patterns.get(package, [])]
        # setuptools globs per folder: * does not reach into one.
        if not any(fnmatch.fnmatch(rest, p) and p.count("/") == rest.count("/") for p in allowed):
            missing.append(name)
    assert missing == []


def required(lines: list[str]) -> set[str]:
    """Names of packages; extras that name other extras of voltwin bring nothing of their own."""
    return {re.split(r"[<>=\[;~! ]", line, maxsplit=1)[0].lower().replace("_", "-") for line in lines} - {"voltwin"}


def extras(project: dict[str, Any]) -> dict[str, set[str]]:
    """Each extra with the packages that it states itself."""
    return {name: required(lines) for name, lines in project["project"]["optional-dependencies"].items()}


def runtime(project: dict[str, Any]) -> set[str]:
    """All packages that voltwin can use when it runs."""
    return required(project["project"]["dependencies"]).union(*extras(project).values())


def locked(file: Path) -> set[str]:
    return set(re.findall(r"^([a-z0-9_.-]+)==", file.read_text("utf-8"), re.MULTILINE))


def test_every_dependency_is_locked_with_hashes(root: Path, project: Any) -> None:
    needed = runtime(project) - extras(project)["postgres"]
    groups = {name: required(lines) for name, lines in project["dependency-groups"].items()}
    assert needed <= locked(root / "requirements.lock")
    assert runtime(project) | groups["dev"] <= locked(root / "requirements-dev.lock")
    assert groups["docs"] <= locked(root / "requirements-docs.lock")
    assert groups["build"] == locked(root / "requirements-build.lock")
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-docs.lock", "requirements-build.lock"):
        pins = re.findall(r"^[a-z0-9_.-]+==.*?(?=^[a-z0-9]|\Z)", (root / name).read_text("utf-8"), re.M | re.S)
        assert pins
        assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_both_locks_hold_the_same_versions(root: Path) -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9_.-]+==\S+)", (root / name).read_text("utf-8"), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_every_dependency_has_its_reason(root: Path, project: Any) -> None:
    page = (root / "docs/adr/0005-dependencies.md").read_text("utf-8")
    rows = {name.strip() for line in re.findall(r"^\| ([a-z0-9, -]+) \|", page, re.M) for name in line.split(",")}
    wanted = runtime(project)
    for lines in project["dependency-groups"].values():
        wanted |= required(lines)
    assert rows - {"package"} == wanted


def imported(root: Path, tracked: list[str]) -> set[str]:
    found = set()
    for name in tracked:
        if name.endswith(".py") and name.split("/")[0] not in NO_PACKAGES:
            for node in ast.walk(ast.parse((root / name).read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"voltwin"}


def test_nothing_is_imported_that_is_not_declared(root: Path, project: Any, tracked: Any) -> None:
    modules = {name.replace("-", "_") for name in runtime(project)} - {"paho_mqtt"} | {"paho"}
    # The first two are parts of what FastAPI is, and come with it; the third exists for type checkers alone.
    assert imported(root, tracked) - modules <= {"starlette", "pydantic", "_typeshed"}


def test_the_models_contract_forbids_every_other_dependency(project: Any) -> None:
    contracts = project["tool"]["importlinter"]["contracts"]
    (models,) = [item for item in contracts if item.get("source_modules") == ["voltwin.models"]]
    declared = {name.replace("-", "_") for name in runtime(project) - extras(project)["postgres"]}
    declared = declared - {"paho_mqtt", "numpy", "scipy"} | {"paho"}
    assert declared <= set(models["forbidden_modules"])


def test_a_missing_package_names_the_extra_that_brings_it(project: Any) -> None:
    stated = {package: name for name, packages in extras(project).items() for package in packages}
    assert stated == EXTRAS
    assert set(extras(project)) == {"all", *EXTRAS.values()}
    lines = project["project"]["optional-dependencies"]["all"]
    assert lines == ["voltwin[demo,models,ontology,plots,series]"]


WITHOUT_EXTRAS = """
import sys
from importlib.abc import MetaPathFinder

class Nothing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {extras}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Nothing())
"""

RUN_VERB = """
from voltwin.cli import main
main(sys.argv[1:])
"""

GET_PAGES = """
from starlette.testclient import TestClient
from voltwin.api.app import create_app
from voltwin.assembly import open_fleet
with open_fleet(sys.argv[1]) as fleet:
    web = TestClient(create_app(fleet))
    for address in sys.argv[2:]:
        answer = web.get(address)
        print(answer.status_code, address, answer.text if answer.status_code == 500 else "")
"""


def without_extras(*words: str, then: str = RUN_VERB, **options: Any) -> subprocess.CompletedProcess[str]:
    script = WITHOUT_EXTRAS.format(extras=set(EXTRAS)) + then
    return subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False, timeout=120, **options
    )


def test_paths_sparql_and_validation_need_no_extra(root: Path, tmp_path: Path) -> None:
    model = root / "ontology" / "models" / "battery_logistics.mdj"
    for words, answer in (
        (["init", "plant", str(model)], "plant: fleet made"),
        (["--fleet", "plant", "get", "/"], "Storage"),
        (["--fleet", "plant", "tree", "/storage-cell-plant"], "setPoint"),
        (["--fleet", "plant", "query", "SELECT (COUNT(?t) AS ?n) { ?t a vt:Twin }"], '"n"'),
        (["--fleet", "plant", "validate"], "violations 0"),
        (["--fleet", "plant", "fsck"], "nothing is wrong"),
        (["--fleet", "plant", "backup", "copy"], "copy: commit"),
    ):
        done = without_extras(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert answer in done.stdout


def test_pages_need_no_extra_and_a_plot_names_it(root: Path, tmp_path: Path) -> None:
    model = root / "ontology" / "models" / "battery_logistics.mdj"
    assert without_extras("init", "plant", str(model), cwd=tmp_path).returncode == 0
    pages = ("/", "/fleet", "/fleet/twins", "/fleet/twins/storage-cell-plant", "/modules", "/query")
    plot = "/battery/plots/self-discharge.svg"
    done = without_extras("plant", *pages, plot, then=GET_PAGES, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *answers, last = done.stdout.splitlines()
    assert [line.strip() for line in answers] == [f"200 {page}" for page in pages]
    assert "pip install 'voltwin[plots]'" in last


@pytest.mark.parametrize(
    ("words", "package"),
    [(["models", "list"], "scipy"), (["--fleet", "plant", "export", "out", "--twin", "x"], "pyarrow")],
)
def test_without_its_extra_a_verb_names_it(root: Path, tmp_path: Path, words: Any, package: Any) -> None:
    model = root / "ontology" / "models" / "battery_logistics.mdj"
    assert without_extras("init", "plant", str(model), cwd=tmp_path).returncode == 0
    done = without_extras(*words, cwd=tmp_path)
    assert done.returncode == 6
    assert done.stderr == (
        f"voltwin: the package {package} is not installed: pip install 'voltwin[{EXTRAS[package]}]' brings it\n"
    )


def test_the_profile_of_an_ontology_is_checked_without_owlready2(root: Path) -> None:
    done = without_extras("ontology", "check", "--profile-only", str(root / "ontology" / "core.ttl"))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(root: Path, tracked: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    # Of a copy: what an earlier build left in build/ would be in the wheel too.
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    for name in tracked:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", place, source],
        check=True,
        capture_output=True,
        timeout=250,
    )
    (made,) = place.glob("voltwin-*.whl")
    with zipfile.ZipFile(made) as archive:
        yield archive


def test_the_wheel_has_every_file_of_every_package_and_nothing_else(wheel: Any, root: Path, tracked: Any) -> None:
    shipped = {name for name in wheel.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    mine = {name for name in tracked if name.split("/")[0] not in NO_PACKAGES and not name.startswith(".")}
    at_root = {name for name in mine if "/" not in name and not name.endswith(".py") and name != "py.typed"}
    documents = {name for name in mine if name.endswith(".md")}
    assert {name.removeprefix("voltwin/") for name in shipped} == mine - at_root - documents


def test_the_wheel_has_what_the_demo_needs(wheel: Any) -> None:
    names = set(wheel.namelist())
    for name in ("demo/run.py", "simulator/case.py", "ontology/models/battery_logistics.mdj", "__main__.py"):
        assert f"voltwin/{name}" in names
    (points,) = [name for name in names if name.endswith("entry_points.txt")]
    assert "[voltwin.cases]\nbattery-logistics = voltwin.simulator.case:CASE" in wheel.read(points).decode()


GROUPS = ("comparisons", "handlers", "listeners", "models", "stores", "views")


@pytest.mark.parametrize("group", [f"voltwin.{name}" for name in GROUPS])
def test_built_ins_come_through_entry_points_that_load(project: Any, group: Any) -> None:
    declared = project["project"]["entry-points"][group]
    found = {entry.name: entry for entry in entry_points(group=group)}
    assert set(declared) <= set(found)
    for name, target in declared.items():
        assert found[name].value == target
        assert callable(found[name].load())


def test_the_suite_runs_every_folder_of_tests_but_the_torture(root: Path, project: Any) -> None:
    chosen = {Path(path).name for path in project["tool"]["pytest"]["ini_options"]["testpaths"]}
    folders = {file.relative_to(root / "tests").parts[0] for file in (root / "tests").rglob("test_*.py")}
    assert folders - {"torture"} <= chosen
