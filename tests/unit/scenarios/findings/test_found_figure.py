"""The picture of molecules: drawn where RDKit is installed, else a table, with at most a dozen of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.image import imread

from agent.pool.candidates import Candidate
from agent.pool.design_edits import DesignEdit
from protocols.extras import is_installed
from scenarios.findings import found_figure
from scenarios.findings.found_figure import MOST_SHOWN, can_draw, draw_found
from scenarios.findings.molecules_found import Change, FoundMolecule, MoleculesFound

ANILINE = Candidate("a", "all", "C6H7N", smiles="Nc1ccccc1")
EDIT = DesignEdit("x", "NO2", "H", (("y", "NH2"),), 0)


def found(count: int) -> MoleculesFound:
    changes = (Change(EDIT, ANILINE, 3.0, 2.0), Change(EDIT, ANILINE, None, -2.0), None)
    molecules = tuple(
        FoundMolecule(Candidate(f"m{n}", "all", "C6H6N2O2", smiles="Nc1ccc([N+](=O)[O-])cc1"), 9.0 - n, changes[n % 3])
        for n in range(count)
    )
    return MoleculesFound(molecules, 40, 0.5, "dipole", "D")


@pytest.mark.parametrize("count", [1, 4, 5, MOST_SHOWN, MOST_SHOWN + 5])
@pytest.mark.parametrize("drawn", [True, False])
def test_any_number_gives_a_picture_1800_pixels_wide(
    tmp_path: Path, count: int, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if drawn and not is_installed("rdkit"):
        pytest.skip("the extra 'molecules' is not installed")
    monkeypatch.setattr(found_figure, "can_draw", lambda: drawn)
    draw_found(tmp_path / "found.png", found(count), title="$t")
    picture = imread(tmp_path / "found.png")
    assert picture.shape[1] == 1800
    assert picture[..., :3].std() > 0.02


def test_no_more_are_drawn_than_a_dozen(tmp_path: Path) -> None:
    for count in (MOST_SHOWN, MOST_SHOWN + 5):
        draw_found(tmp_path / f"{count}.png", found(count), title="t")
    one, other = (imread(tmp_path / f"{count}.png") for count in (MOST_SHOWN, MOST_SHOWN + 5))
    assert one.shape == other.shape


def test_without_rdkit_nothing_is_drawn_and_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_draw() == is_installed("rdkit")
    monkeypatch.setattr(found_figure, "is_installed", lambda _package: False)
    assert not can_draw()
