"""The models in the finished case study: the operating curve in its report, and the results of `voltwin models fit`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def fit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("voltwin")), "models", "fit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_case_study_says_plainly_what_it_cannot_tell(study: Any) -> None:
    told = fit("--fleet", study.address)
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0].startswith("181 modules")
    energy = next(line for line in lines if line.startswith("activationEnergy"))
    assert energy.startswith("activationEnergy 50 KiloJ-PER-MOL: not identified")
    assert "mean temperatures range from" in energy
    assert "store some modules colder or warmer" in energy
    assert "not identified" in next(line for line in lines if line.startswith("beta"))


def test_without_a_rate_of_its_own_no_set_is_written(study: Any, tmp_path: Path) -> None:
    found = json.loads(fit("--fleet", study.address, "--json").stdout)
    assert (found["modules"], found["leftOut"]) == (181, {})
    (rate,) = (item for item in found["estimates"] if item["name"] == "k25")
    told = fit("--fleet", study.address, "--name", "plant", "--out", str(tmp_path / "plant.json"))
    assert (told.returncode == 0) == rate["identified"] == (tmp_path / "plant.json").exists()


def test_the_report_shows_by_how_much_smaller_leaks_the_dynamic_window_finds(study: Any) -> None:
    assert (study.out / "operating-curve.png").read_bytes().startswith(b"\x89PNG")
    page = (study.out / "report.html").read_text("utf-8")
    factors = [float(text) for text in re.findall(r"finds leaks ([\d.]+) times smaller than a fixed window", page)]
    assert len(factors) == 2
    assert min(factors) > 1.0
    assert page.count("data:image/png;base64,") == 4
