"""Completion as a shell asks for it: verbs, options and paths; quick, and silent about errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from voltwin.errors import EnvironmentProblem
from voltwin.verbs.completion import completion

from .api.sample_fleet import make_fleet

CELLS = [f"/module-0001/cells/cell-{number:02d}/" for number in range(1, 13)]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("plant")
    make_fleet(place, ["module-0001"]).close()
    return place / "fleet"


def completed(line: str, cwd: Path) -> list[str]:
    words = ["voltwin", *line.split(" ")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VOLTWIN_")}
    done = subprocess.run(
        [sys.executable, "-m", "voltwin"],
        cwd=cwd,
        env=environment
        | {"_VOLTWIN_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return [item.partition(",")[2] for item in done.stdout.split()]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("st", ["status"]),
        ("completion in", ["install"]),
        ("simulate ", ["replay", "weather"]),
        ("simulate replay --mod", ["--modules"]),
        ("put /x 1 --un", ["--unit"]),
        ("get /mod", ["/module-0001/"]),
        ("get mod", []),
        ("get /module-0001/arrivalTest/de", ["/module-0001/arrivalTest/decision"]),
        ("get /module-0001/cel", ["/module-0001/cells/"]),
        ("get /module-0001/cells/", CELLS),
        ("get /module-0001/cells/cell-03/vo", ["/module-0001/cells/cell-03/voltage"]),
        ("tree /truck-01/", ["/truck-01/key", "/truck-01/logger/"]),
        ("get /*/arr", ["/*/arrivalTest/"]),
        ("validate --twin tr", ["truck-01"]),
        ("get /module-0001/nonsense/x", []),
        ("get /module-0001//", []),
        ("get /module-0001[", []),
    ],
)
def test_verbs_options_and_paths_are_completed(plant: Any, line: Any, found: Any) -> None:
    assert completed(line, plant) == found


@pytest.mark.parametrize("named", ["--fleet nowhere", "--fleet http://127.0.0.1:9", "--fleet http://", ""])
def test_without_a_fleet_there_are_no_paths_and_no_words(tmp_path: Path, named: Any) -> None:
    assert completed(f"{named} get /mod".strip(), tmp_path) == []


def test_the_fleet_of_the_line_is_asked(plant: Any, tmp_path: Path) -> None:
    assert completed(f"--fleet {plant} get /mod", tmp_path) == ["/module-0001/"]
    assert completed(f"get --fleet {plant} /mod", tmp_path) == ["/module-0001/"]


def install(shell: str, home: Path, *words: str, **environment: str) -> str:
    variables = {"HOME": str(home), "SHELL": f"/bin/{shell}", "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "ZDOTDIR": ""}
    done = CliRunner().invoke(completion, ["install", *words], env=variables | environment, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    ("shell", "files"),
    [
        ("bash", [".local/share/voltwin/completion.bash", ".bashrc"]),
        ("zsh", [".local/share/voltwin/completion.zsh", ".zshrc"]),
        ("fish", [".config/fish/completions/voltwin.fish"]),
    ],
)
def test_installing_says_its_files_and_twice_is_once(tmp_path: Path, shell: Any, files: Any) -> None:
    startup = tmp_path / files[-1]
    if shell != "fish":
        startup.write_text("alias ll='ls -l'\n")
    output = install(shell, tmp_path)
    assert all(str(tmp_path / file) in output for file in files)
    texts = [(tmp_path / file).read_text() for file in files]
    assert "installed already" in install(shell, tmp_path)
    assert [(tmp_path / file).read_text() for file in files] == texts
    if shell != "fish":
        assert startup.read_text().startswith("alias ll='ls -l'\n")
        assert startup.read_text().count("# voltwin completion") == 1


def test_a_shell_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"'tcsh': name one of bash, zsh, fish with --shell"):
        install("tcsh", tmp_path)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_with_what_was_installed(plant: Any, tmp_path: Path) -> None:
    install("bash", tmp_path)
    program = tmp_path / "bin" / "voltwin"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m voltwin "$@"\n')
    program.chmod(0o755)
    script = """
        compopt() { echo "compopt $1 $2"; }
        . "$HOME/.bashrc"
        complete -p voltwin
        COMP_WORDS=(voltwin get /module-0001/cel) COMP_CWORD=2
        _voltwin_completion voltwin
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=plant,
        env={"HOME": str(tmp_path), "PATH": f"{program.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "complete -o nosort -F _voltwin_completion voltwin",
        "compopt -o nospace",
        "/module-0001/cells/",
    ]
