#!/usr/bin/env python3
"""Check, build and tag a release; never push one.

    python deploy/release.py 0.2.0            # checks and builds in a clone; changes nothing here
    python deploy/release.py 0.2.0 --tag      # the same, then commits version and changelog, and tags them

Everything works without a network: source distribution and wheel are built by the interpreter's own setuptools, and
the wheel is installed alone into a new environment that borrows the dependencies of this one.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
NOT_IN_A_WHEEL: Final = {"tests", "docs", "benchmarks", "examples", "deploy", ".ci", ".typing"}
_BUILD: Final = "import sys; from setuptools import build_meta as b; b.build_{kind}(sys.argv[1])"
_TRY: Final = """
import voltwin
from importlib.resources import files
for name in voltwin.__all__:
    getattr(voltwin, name)
model = files("voltwin.ontology") / "models" / "battery_logistics.mdj"
fleet = voltwin.create_fleet(__import__("pathlib").Path("fleet"), voltwin.convert(model), "https://fleet.example/")
with voltwin.Fleet.open("fleet") as fleet:
    assert fleet.query("SELECT ?t WHERE { ?t a vt:Twin }").body
print(voltwin.__file__)
"""

Version = tuple[int, int, int]


class Refused(Exception):
    """A reason not to release, as one sentence."""


@dataclass(frozen=True)
class Deprecation:
    """A row of docs/deprecations.md."""

    name: str
    since: str
    gone_in: str
    instead: str


def parse_version(text: str) -> Version:
    """``1.2.3`` as numbers. Raises Refused for anything else."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", text)
    if match is None:
        raise Refused(f"version {text!r}: write three numbers, such as 0.2.0")
    return int(match[1]), int(match[2]), int(match[3])


def deprecations(page: str) -> list[Deprecation]:
    """The rows of the table. Raises Refused for a row with an empty cell."""
    found = []
    for line in re.findall(r"^\|(.+)\|$", page, re.M)[2:]:
        cells = [cell.strip() for cell in line.split("|")]
        if cells[0] == "none yet":
            continue
        if len(cells) != 4 or not all(cells):
            raise Refused(f"docs/deprecations.md: {line.strip()!r} needs name, since, gone in and instead")
        found.append(Deprecation(*cells))
    return found


def overdue(rows: list[Deprecation], version: Version) -> list[Deprecation]:
    """The rows whose name has to be gone in ``version``."""
    return [row for row in rows if parse_version(row.gone_in) <= version]


def with_version(pyproject: str, version: str) -> str:
    """The text of pyproject.toml with another version."""
    changed, count = re.subn(r'^version = "[^"]+"$', f'version = "{version}"', pyproject, count=1, flags=re.M)
    if count != 1:
        raise Refused("pyproject.toml: has no line with the version")
    return changed


def with_release(changelog: str, version: str, day: str) -> str:
    """The changelog with what is unreleased under the version's heading. Raises Refused where that is nothing."""
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", changelog, re.M | re.S)
    if unreleased is None or not re.search(r"^- ", unreleased[1], re.M):
        raise Refused("CHANGELOG.md: nothing is under Unreleased; write what changed for users")
    if f"## [{version}]" in changelog:
        raise Refused(f"CHANGELOG.md: has {version} already")
    return changelog.replace("## [Unreleased]\n", f"## [Unreleased]\n\n## [{version}] - {day}\n", 1)


def run(words: list[str], folder: Path) -> str:
    """What a program prints. Raises Refused with the end of what it said where it fails."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{' '.join(words[:4])} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def check(root: Path, version: str) -> None:
    """Raise Refused where the repository is not ready for ``version``."""
    if changed := run(["git", "status", "--porcelain"], root):
        raise Refused(f"the work tree has changes; commit them first:\n{changed}")
    if run(["git", "tag", "--list", f"v{version}"], root):
        raise Refused(f"tag v{version} is there already")
    current = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if parse_version(version) <= parse_version(current):
        raise Refused(f"version {version}: is not later than {current}")
    page = (root / "docs" / "deprecations.md").read_text("utf-8")
    if late := overdue(deprecations(page), parse_version(version)):
        raise Refused(f"to be deleted before {version}: {', '.join(row.name for row in late)} (docs/deprecations.md)")


def write_version(root: Path, version: str) -> None:
    """Put version and changelog's heading into a work tree."""
    day = datetime.now(UTC).date().isoformat()
    for name, changed in (
        ("pyproject.toml", with_version((root / "pyproject.toml").read_text("utf-8"), version)),
        ("CHANGELOG.md", with_release((root / "CHANGELOG.md").read_text("utf-8"), version, day)),
    ):
        (root / name).write_text(changed, "utf-8")


def build(tree: Path, out: Path) -> tuple[Path, Path]:
    """Source distribution, and the wheel made from it: what the one lacks the other lacks, too."""
    run([sys.executable, "-c", _BUILD.format(kind="sdist"), str(out)], tree)
    (source,) = out.glob("*.tar.gz")
    unpacked = out.parent / "unpacked"
    run([sys.executable, "-m", "tarfile", "-e", str(source), str(unpacked)], out)
    (inside,) = unpacked.iterdir()
    run([sys.executable, "-c", _BUILD.format(kind="wheel"), str(out)], inside)
    (wheel,) = out.glob("*.whl")
    return source, wheel


def check_contents(tree: Path, wheel: Path) -> int:
    """The number of files in the wheel. Raises Refused for one too many or too few."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    inside = {name.removeprefix("voltwin/") for name in names if name.startswith("voltwin/")}
    if foreign := sorted(name for name in inside if name.split("/")[0] in NOT_IN_A_WHEEL):
        raise Refused(f"the wheel has {foreign[0]} in it")
    tracked = run(["git", "ls-files", "-z"], tree).split("\0")
    folders = {name.rpartition("/")[0] for name in tracked if name.endswith("/__init__.py")}
    wanted = {
        name
        for name in tracked
        if name.split("/")[0] not in NOT_IN_A_WHEEL and any(name.startswith(f"{folder}/") for folder in folders)
    }
    if lost := sorted(wanted - inside):
        raise Refused(f"the wheel lacks {lost[0]} and {len(lost) - 1} others")
    return len(names)


def try_wheel(wheel: Path, version: str, place: Path) -> None:
    """Install the wheel alone and use it. Raises Refused where it does not work."""
    fresh = place / "fresh"
    run([sys.executable, "-m", "venv", str(fresh)], place)
    python = fresh / "bin" / "python"
    run([str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)], place)
    here = run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], place).strip()
    # Dependencies are those of this interpreter; its own voltwin is hidden by the one installed before it.
    (Path(here) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    said = run([str(fresh / "bin" / "voltwin"), "--version"], place)
    if version not in said:
        raise Refused(f"the installed program says {said.strip()!r}, not {version}")
    used = run([str(python), "-I", "-c", _TRY], place).strip()
    if not used.startswith(here):
        raise Refused(f"what was tried is {used}, not the wheel")


def release(root: Path, version: str, *, tag: bool) -> list[str]:
    """Everything; returns what was done, a line each."""
    check(root, version)
    said = ["clean tree, version, deprecations: fine"]
    with tempfile.TemporaryDirectory(prefix="voltwin-release-") as name:
        place = Path(name)
        tree, out = place / "tree", place / "dist"
        run(["git", "clone", "--quiet", "--no-hardlinks", str(root), str(tree)], place)
        write_version(tree, version)
        out.mkdir()
        source, wheel = build(tree, out)
        said.append(f"built {source.name} and {wheel.name}: {check_contents(tree, wheel)} files")
        try_wheel(wheel, version, place)
        said.append("the wheel works where it is installed alone")
        if not tag:
            return [*said, f"nothing is changed here; --tag commits {version} and tags v{version}"]
        for file in (source, wheel):
            (root / "dist").mkdir(exist_ok=True)
            (root / "dist" / file.name).write_bytes(file.read_bytes())
    write_version(root, version)
    run(["git", "commit", "--quiet", "--message", f"Version {version}", "pyproject.toml", "CHANGELOG.md"], root)
    run(["git", "tag", "--annotate", f"v{version}", "--message", f"voltwin {version}"], root)
    return [*said, f"committed and tagged v{version}; files are in dist; to publish: git push --follow-tags"]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Check, build and tag a release of voltwin; never push one.")
    parser.add_argument("version", help="the new version, such as 0.2.0")
    parser.add_argument(
        "--tag", action="store_true", help="commit the version and tag it; without this nothing changes"
    )
    arguments = parser.parse_args()
    try:
        print("\n".join(release(ROOT, arguments.version, tag=arguments.tag)))
    except Refused as reason:
        print(f"not released: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
