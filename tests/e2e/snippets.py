"""The commands and scripts of the documents, as a reader would type them one after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS: Final = r"(?:voltwin|curl|make|pip|pipx|uv|python3?|git|docker|tar|mosquitto)"
SHELLS: Final = ("console", "bash", "sh", "shell")
SETTING: Final = r"(?:export |cd |\. |source |\w+=\S+$)"
_COMMAND: Final = re.compile(rf"(?:\$ )?(?:\w+=\S+ )*(?:{PROGRAMS} |{SETTING})")

NOT_RUN: Final = {
    r"^make (demo|test|docs|release|lock)\b": "the suite itself, and what stands around it",
    r"^(pip|pipx|uv) (install|wheel)|^git clone": "tests/integration/test_release.py tries the wheel",
    r"^python deploy/release\.py": "tests/integration/test_release.py, on a clone",
    r"^voltwin demo\b": "the fleet that all the others are run on is made by it",
    r"^voltwin serve .*mqtt://": "needs a broker and services at fixed ports; the case study starts all of them",
    r"http://127\.0\.0\.1:7878": "needs a server at a fixed port; tests/contract/test_engine_fleet.py starts one",
}
"""Commands that are not run, and why."""

NOT_RUN_PAGES: Final = {"docs/extending.md": "tests/unit/test_extending.py installs and runs them"}
ENDLESS: Final = re.compile(r"--follow|curl -N|^voltwin serve ")
"""Commands that run until they are interrupted; they have to say something before that."""
WRITES: Final = re.compile(
    r"voltwin (?:\w+ )?(?:put|update|load|import|compact|retain|rebuild)|-X PUT|fleet\.update|sparql-update"
)


@dataclass(frozen=True)
class Command:
    """One command of a block, what the block says it answers, and the settings typed before it."""

    page: str
    line: str
    answer: str
    before: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is not run; empty if it is."""
        return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, self.line)), "")


@dataclass(frozen=True)
class Script:
    """One block of Python."""

    page: str
    number: int
    text: str


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of these languages; without any they are plain."""
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    return [text for language, text in found if language in (languages or ("",))]


def commands() -> list[Command]:
    """Every command of every page; those that write come last, so that the others see the demo as it was left."""
    found: list[Command] = []
    for page in PAGES:
        for block in blocks(page, *SHELLS, ""):
            if _COMMAND.match(block):
                found += _split(str(page.relative_to(ROOT)), block.replace("\\\n", " "))
    return sorted(found, key=lambda command: bool(WRITES.search(command.line)))


def _split(page: str, block: str) -> list[Command]:
    found: list[Command] = []
    before: list[str] = []
    for line in block.splitlines():
        if re.match(SETTING, line):
            before.append(line)
        elif _COMMAND.match(line):
            found.append(Command(page, line.removeprefix("$ "), "", tuple(before)))
        elif line.strip() and found:
            last = found[-1]
            found[-1] = Command(page, last.line, f"{last.answer}{line}\n", last.before)
    return found


def scripts() -> list[Script]:
    """Every block of Python of every page; those that write come last."""
    found = [
        Script(str(page.relative_to(ROOT)), number, text)
        for page in PAGES
        for number, text in enumerate(blocks(page, "python"))
        if str(page.relative_to(ROOT)) not in NOT_RUN_PAGES
    ]
    return sorted(found, key=lambda script: bool(WRITES.search(script.text)))
