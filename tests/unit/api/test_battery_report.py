from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from voltwin.api.battery.report import write_report
from voltwin.errors import InputError, NotFoundError, TwinNotFoundError
from voltwin.models.arrival_gate.operating_curve import SimulatedLot, operate
from voltwin.models.arrival_gate.window_comparison import LEAKS, compare

from .sample_fleet import AGES, make_fleet


def test_a_report_is_three_images_and_one_page_that_holds_them(fleet: Any, tmp_path: Path) -> None:
    paths = write_report(fleet, tmp_path / "new" / "report", "module-0002")
    assert [path.name for path in paths] == ["figure3a.png", "figure3b.png", "figure3c.png", "report.html"]
    *images, page = [path.read_bytes() for path in paths]
    text = page.decode()
    embedded = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    assert [base64.b64decode(data) for data in embedded] == images
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert "url(" not in text
    assert "@import" not in text


def test_the_operating_curve_comes_with_its_figures_computed(fleet: Any, tmp_path: Path) -> None:
    soaked = compare("soaked", operate(SimulatedLot(modules=200), LEAKS), 0.02)
    paths = write_report(fleet, tmp_path, compare=lambda: [soaked])
    assert [path.name for path in paths][3:] == ["operating-curve.png", "report.html"]
    image, text = paths[3].read_bytes(), paths[4].read_text("utf-8")
    assert base64.b64encode(image).decode() in text
    assert f"finds leaks {soaked.smallest_fixed / soaked.smallest_dynamic:.2f} times smaller" in text
    assert f'<td class="number">{soaked.smallest_dynamic:.0f}</td>' in text
    assert "200 simulated modules of 12 cells" in text


class Undecided:
    """The same fleet, its decisions not there."""

    def __init__(self, fleet: Any) -> None:
        self.fleet = fleet

    def all(self, path: Any) -> Any:
        return [] if "decision" in path.lower() else self.fleet.all(path)

    def __getitem__(self, key: Any) -> Any:
        return self.fleet[key]

    def __getattr__(self, name: Any) -> Any:
        return getattr(self.fleet, name)


def test_no_curve_is_made_for_a_fleet_without_decisions(fleet: Any, tmp_path: Path) -> None:
    def never() -> None:
        raise AssertionError("the models were asked")

    paths = write_report(Undecided(fleet), tmp_path, compare=never)
    assert "operating-curve.png" not in [path.name for path in paths]
    assert "dynamic window finds" not in paths[-1].read_text("utf-8")


def test_it_names_every_module_and_why_some_were_not_accepted(fleet: Any, tmp_path: Path) -> None:
    *_, page = write_report(fleet, tmp_path)
    text = page.read_text("utf-8")
    for key in AGES:
        assert f'<td class="key">{key}</td>' in text
    refused = text.partition("Not accepted")[2].partition("</section>")[0]
    assert "module-0002" in refused
    assert "LOW_OCV" in refused
    assert "module-0001" not in refused
    assert "differ for 2 of 3" in refused


def test_it_names_its_sources(fleet: Any, tmp_path: Path) -> None:
    text = write_report(fleet, tmp_path, "module-0002")[-1].read_text("utf-8")
    sources = text.partition("<h2>Sources</h2>")[2]
    assert "/module-0002/selfDischarge/loss" in sources
    assert "rule storage-set-point, priority 20" in sources
    assert "measured" in sources


def test_a_module_that_is_not_there_is_no_report(fleet: Any, tmp_path: Path) -> None:
    with pytest.raises(TwinNotFoundError, match="nobody"):
        write_report(fleet, tmp_path / "out", "nobody")
    assert not (tmp_path / "out").exists()


def test_an_empty_fleet_has_no_report(tmp_path: Path) -> None:
    with make_fleet(tmp_path, []) as empty, pytest.raises(NotFoundError, match="no module yet"):
        write_report(empty, tmp_path / "out")


def test_a_place_that_cannot_be_written_is_named(fleet: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="choose another folder"):
        write_report(fleet, tmp_path / "file")
