"""The habits of the house that a machine can watch: lengths of files, what may not be written down, links, commands."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from voltwin.cli import VERBS, voltwin

MOST_LINES = 400

# Put together here, so that this file does not hold what it looks for.
HOMES = r"(?<![\w.-])/(?:work|root|home/\w+|Users/\w+)/"
HOSTS = [".".join(name) for name in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))]
HOSTS += [".".join(name) for name in (("deb", "debian", "org"), ("crates", "io"))]
FORBIDDEN = re.compile("|".join([HOMES, r"/tmp/\w", r"[A-Z]:\\\\?Users", *map(re.escape, HOSTS)]))


@pytest.fixture(scope="module")
def tracked(root: Path) -> Any:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git work tree, or no git")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [root / name for name in names if (root / name).is_file() and not name.startswith(".typing/")]


def texts(files: list[Path]) -> Iterator[Any]:
    for file in files:
        try:
            yield file, file.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture


def test_no_file_of_code_is_longer_than_the_most(tracked: Any) -> None:
    code = [file for file in tracked if file.suffix in (".py", ".lark", ".css", ".html")]
    assert len(code) > 100
    lengths = {str(file): text.count("\n") for file, text in texts(code)}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_file_names_a_machine_or_a_registry(tracked: Any, root: Path) -> None:
    found = [
        f"{file.relative_to(root)}:{number}: {line.strip()[:120]}"
        for file, text in texts(tracked)
        for number, line in enumerate(text.splitlines(), start=1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    ["see /ro" + "ot/x", "cd /wo" + "rk/main", "/tm" + "p/bash", "https://py" + "pi.org/simple", "/ho" + "me/ann/x"],
)
def test_what_may_not_be_written_is_found(line: Any) -> None:
    assert FORBIDDEN.search(line)


def test_every_module_says_what_it_is_for(tracked: Any, root: Path) -> None:
    silent = []
    for file in tracked:
        parts = file.relative_to(root).parts
        if file.suffix == ".py" and parts[0] not in ("tests", ".ci"):
            text = file.read_text("utf-8")
            if text.strip() and not re.match(r'(#![^\n]*\n)?\s*(r?""")\S', text):
                silent.append(str(file.relative_to(root)))
    assert silent == []


def test_the_names_that_say_nothing_are_not_used(tracked: Any) -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [str(file) for file in tracked if file.stem in nothing] == []


def documents(tracked: list[Path]) -> list[Path]:
    return [file for file in tracked if file.suffix == ".md"]


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere(tracked: Any, root: Path) -> None:
    broken = []
    for file in documents(tracked):
        text = file.read_text("utf-8")
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if re.match(r"[a-z]+:", target):
                continue
            place, _, anchor = target.partition("#")
            there = (file.parent / place).resolve() if place else file
            # A link to the repository's own files only: others are not there for a reader.
            if not there.exists() or not there.is_relative_to(root):
                broken.append(f"{file.relative_to(root)}: {target}")
            elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text("utf-8")):
                broken.append(f"{file.relative_to(root)}: {target} (no such heading)")
    assert broken == []


def test_files_that_documents_name_are_there(tracked: Any, root: Path) -> None:
    """In running text, `folder/file.ext` means that file of the repository."""
    names = {str(file.relative_to(root)) for file in tracked}
    top = {name.split("/")[0] for name in names}
    pattern = re.compile(r"`([\w./-]+/[\w./-]+\.(?:py|md|ttl|lark|mdj|rq|toml|yaml))`")
    pages = (root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md")))
    named = [(page.name, name) for page in pages for name in pattern.findall(page.read_text("utf-8"))]
    missing = [(page, name) for page, name in named if name.split("/")[0] in top and name not in names]
    assert missing == []


def console_lines(root: Path) -> Iterator[Any]:
    for file in (root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))):
        for block in re.findall(r"^```(?:console|)\n(.*?)^```", file.read_text("utf-8"), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                yield file.name, re.split(r"\s{2,}#", line)[0].strip()


def command_of(words: list[str]) -> tuple[click.Command, list[str], str]:
    command: click.Command = voltwin
    path = "voltwin"
    rest = words[3:] if words[1] == "--fleet" else words[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest[0]) if rest else None
        assert found is not None, f"{' '.join(words)}: {path} has no {rest[:1]}"
        command, path, rest = found, f"{path} {rest[0]}", rest[1:]
    return command, rest, path


def test_commands_in_documents_are_commands(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTWIN_FLEET", "demo-fleet")
    checked = 0
    for name, line in console_lines(root):
        if not line.startswith("voltwin ") or "…" in line or "COMMAND" in line:
            continue
        command, rest, path = command_of(shlex.split(line))
        try:
            # As the command line reads it: unknown options and missing arguments are errors.
            command.make_context(path, rest)
        except click.UsageError as error:
            pytest.fail(f"{name}: {line}: {error.format_message()}")
        checked += 1
    assert checked >= 12


def test_make_targets_in_documents_are_targets(root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.M))
    named = {
        target
        for file in (root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md"))
        for target in re.findall(r"(?:`|^)make ([a-z]+)", file.read_text("utf-8"), re.M)
    }
    assert named - targets == set()
    assert {"demo", "test", "lint", "types", "layers", "bench", "torture", "lock", "clean", "help"} <= targets


def test_every_verb_loads_and_explains_itself() -> None:
    for name in VERBS:
        command = voltwin.get_command(click.Context(voltwin), name)
        assert command is not None
        assert command.name == name
        assert command.help


def test_every_verb_is_in_the_list(root: Path) -> None:
    modules = {target.partition(":")[0] for target in VERBS.values()}
    on_disk = {file.stem for file in (root / "verbs").glob("*.py")} - {"__init__"}
    assert modules == on_disk


def test_the_changelog_knows_this_version(root: Path) -> None:
    version = re.search(r'^version = "(.+)"', (root / "pyproject.toml").read_text("utf-8"), re.M)
    assert version
    text = (root / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in text
    assert f"## [{version[1]}]" in text


def test_decisions_are_numbered_without_gaps(root: Path) -> None:
    pages = sorted((root / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text("utf-8")
        assert re.match(rf"# 0*{int(page.name[:4])}\b", text), page.name
        assert "## Consequences" in text, page.name
