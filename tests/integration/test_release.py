"""The release script on a clone: what it refuses, what a dry run leaves alone, and a real tag."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path("deploy") / "release.py"


def load(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("voltwin_release", root / SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script(root: Path) -> ModuleType:
    return load(root)


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> Path:
    """The work tree as it is now, committed in a repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard"], cwd=root, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git work tree, or no git")
    made = tmp_path / "clone"
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = root / name, made / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_file():
            target.write_bytes(source.read_bytes())
    git(made, "init", "--quiet", "--initial-branch=main")
    git(made, "config", "user.name", "test")
    git(made, "config", "user.email", "test@example.org")
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "--message", "all")
    return made


def release(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(clone / SCRIPT), *words], cwd=clone, capture_output=True, text=True, check=False
    )


def edit(clone: Path, name: str, old: str, new: str) -> None:
    text = (clone / name).read_text("utf-8")
    assert old in text
    (clone / name).write_text(text.replace(old, new, 1), "utf-8")
    git(clone, "commit", "--quiet", "--all", "--message", "edit")


def test_a_release_is_built_tried_and_tagged_but_a_dry_run_changes_nothing(clone: Path) -> None:
    before = git(clone, "rev-parse", "HEAD")
    done = release(clone, "0.9.0")
    assert done.returncode == 0, done.stderr
    assert "built voltwin-0.9.0.tar.gz and voltwin-0.9.0-py3-none-any.whl" in done.stdout
    assert "works where it is installed alone" in done.stdout
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "tag"), git(clone, "status", "--porcelain")) == (before, "", "")

    done = release(clone, "0.9.0", "--tag")
    assert done.returncode == 0, done.stderr
    assert git(clone, "tag") == "v0.9.0\n"
    assert git(clone, "rev-parse", "v0.9.0^{commit}") == git(clone, "rev-parse", "HEAD")
    assert git(clone, "rev-parse", "HEAD~1") == before
    assert git(clone, "status", "--porcelain") == ""
    assert tomllib.loads((clone / "pyproject.toml").read_text("utf-8"))["project"]["version"] == "0.9.0"
    changelog = (clone / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## \[Unreleased\]\n\n## \[0\.9\.0\] - \d{4}-\d\d-\d\d\n\n###", changelog, re.M)
    assert {file.suffix for file in (clone / "dist").iterdir()} == {".gz", ".whl"}

    done = release(clone, "0.9.1")
    assert (done.returncode, done.stderr.split(";")[0]) == (
        1,
        "not released: CHANGELOG.md: nothing is under Unreleased",
    )


def test_what_is_not_ready_is_refused_with_the_reason(clone: Path) -> None:
    for version, said in (("0.0.9", "is not later than"), ("next", "write three numbers")):
        done = release(clone, version)
        assert done.returncode == 1
        assert said in done.stderr
    git(clone, "tag", "v0.9.0")
    assert "tag v0.9.0 is there already" in release(clone, "0.9.0").stderr
    edit(clone, "docs/deprecations.md", "| none yet | | | |", "| `voltwin old` | 0.1.0 | 0.3.0 | `voltwin new` |")
    assert "to be deleted before 0.3.0: `voltwin old`" in release(clone, "0.3.0").stderr
    edit(clone, "pyproject.toml", '"voltwin.reasoner",\n', "")
    assert "the wheel lacks reasoner/" in release(clone, "0.2.0").stderr
    (clone / "new.txt").write_text("not committed", "utf-8")
    assert "the work tree has changes" in release(clone, "0.2.0").stderr


def test_no_deprecation_has_outlived_its_version(root: Path, script: ModuleType) -> None:
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    rows = script.deprecations((root / "docs" / "deprecations.md").read_text("utf-8"))
    assert script.overdue(rows, script.parse_version(version)) == []


def test_the_table_of_deprecations_is_read(script: ModuleType) -> None:
    head = "| name | since | gone in | instead |\n|---|---|---|---|\n"
    rows = script.deprecations(head + "| `a` | 0.1.0 | 0.3.0 | `b` |\n| `c` | 0.2.0 | 1.0.0 | nothing |\n")
    assert [row.name for row in rows] == ["`a`", "`c`"]
    assert [row.name for row in script.overdue(rows, (0, 2, 9))] == []
    assert [row.name for row in script.overdue(rows, (0, 3, 0))] == ["`a`"]
    with pytest.raises(script.Refused, match="needs name"):
        script.deprecations(head + "| `a` | 0.1.0 | | `b` |\n")
