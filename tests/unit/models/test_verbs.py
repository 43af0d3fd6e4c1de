from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from voltwin.errors import InputError
from voltwin.verbs.models import models

from .samples import discharge_instance
from .test_calibration import lot_request


def invoke(*arguments: Any, text: Any = None) -> Any:
    result = CliRunner().invoke(models, list(arguments), input=text)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_list_names_every_port_with_its_unit() -> None:
    printed = invoke("list").output
    assert "arrival-gate 1.0.0" in printed
    assert "ocv [cells] V" in printed
    described = json.loads(invoke("list", "--json").output)
    assert {"name", "version", "inputs", "outputs", "parameters"} <= set(described["models"][0])


def test_run_answers_a_request_from_standard_input() -> None:
    reply = json.loads(
        invoke("run", "self-discharge", text=json.dumps({"instances": [discharge_instance(250)]})).output
    )
    assert reply["results"][0]["outputs"]["loss"]["value"] == pytest.approx(0.084638, abs=5e-7)


def test_run_says_what_is_no_json() -> None:
    with pytest.raises(InputError, match="not JSON"):
        invoke("run", "ocv-soc", text="{")


def test_fit_prints_estimates_and_writes_a_set_that_is_then_known(tmp_path: Path) -> None:
    request = tmp_path / "tests.json"
    request.write_text(json.dumps(lot_request(np.random.default_rng(1))))
    out = tmp_path / "own" / "parameters" / "plant.json"
    printed = invoke("fit", str(request), "--name", "plant-2026", "--out", str(out)).output
    assert "activationEnergy" in printed
    assert "95 %" in printed
    found = json.loads(invoke("fit", str(request), "--json").output)
    assert [item["identified"] for item in found["estimates"]] == [True, True, True]
    own = {"instances": [discharge_instance(250, parameters={"parameterSet": "plant-2026"})]}
    reply = json.loads(invoke("run", "--files", str(tmp_path / "own"), "self-discharge", text=json.dumps(own)).output)
    assert reply["results"][0]["outputs"]["loss"]["value"] > 0.1
    assert invoke("fit", str(request), "--name", "alone").exit_code == 2
