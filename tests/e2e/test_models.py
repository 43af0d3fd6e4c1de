"""`voltwin models fit` on the case study's own server: what two rooms at 25 and 22 °C can and cannot tell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def fit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("voltwin")), "models", "fit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_case_study_says_plainly_what_it_cannot_tell(study):
    told = fit("--fleet", study.address)
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0].startswith("181 modules")
    energy = next(line for line in lines if line.startswith("activationEnergy"))
    assert energy.startswith("activationEnergy 50 KiloJ-PER-MOL: not identified")
    assert "mean temperatures run from" in energy
    assert "store some modules colder or warmer" in energy
    assert "not identified" in next(line for line in lines if line.startswith("beta"))


def test_without_a_rate_of_its_own_no_set_is_written(study, tmp_path):
    found = json.loads(fit("--fleet", study.address, "--json").stdout)
    assert (found["modules"], found["leftOut"]) == (181, {})
    (rate,) = (item for item in found["estimates"] if item["name"] == "k25")
    told = fit("--fleet", study.address, "--name", "plant", "--out", str(tmp_path / "plant.json"))
    assert (told.returncode == 0) == rate["identified"] == (tmp_path / "plant.json").exists()
