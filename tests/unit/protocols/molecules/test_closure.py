"""A closure holds every molecule that so many edits make, each once, with a way to it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from protocols.errors import SettingsError
from protocols.molecules import closure as closures
from protocols.molecules.closure import Closure, closure
from protocols.molecules.edits import edits_of
from protocols.molecules.smiles import SmilesError
from tests.support.samples.molecules import needs_rdkit

pytestmark = needs_rdkit

FEW = {"F": "F", "CH3": "C"}
BENZENES = Path(__file__).parents[4] / "../shared/data/benzenes/table.csv"


def members(found: Closure) -> list[str]:
    return [design.molecule.smiles for design in found.designs]


def test_without_an_edit_it_is_the_parents() -> None:
    found = closure(["CO", "OC", "C"], FEW, depth=0)
    assert members(found) == ["C", "CO"]
    assert found.edits == ()


def test_it_holds_what_edits_of_edits_make_each_once_and_comes_out_the_same_again() -> None:
    found = closure(["c1ccccc1"], FEW, depth=2)
    once = {edit.product.smiles for edit in edits_of("c1ccccc1", FEW)}
    twice = {edit.product.smiles for smiles in once for edit in edits_of(smiles, FEW)}
    assert set(members(found)) == {"c1ccccc1"} | once | twice
    assert len(set(members(found))) == len(members(found))
    assert found == closure(["C1=CC=CC=C1"], FEW, depth=2)


def test_every_design_has_a_way_from_a_parent_that_is_as_long_as_it_must_be() -> None:
    found = closure(["c1ccccc1", "C"], FEW, depth=2)
    for design in found.designs:
        steps = [design.edits[0].parent, *(edit.product.smiles for edit in design.edits)] if design.edits else []
        assert not steps or (steps[0] in {"c1ccccc1", "C"} and steps[-1] == design.molecule.smiles)
        assert [edit.parent for edit in design.edits] == steps[:-1]
    lengths = [len(design.edits) for design in found.designs]
    assert lengths == sorted(lengths)


def test_edits_between_its_molecules_are_told_wherever_they_lead() -> None:
    found = closure(["Cc1ccc(F)cc1"], {}, depth=2)
    known = set(members(found))
    assert len(known) == 3
    assert {edit.product.smiles for edit in found.edits} == known, "one edit leads back to the parent"


@pytest.mark.skipif(not BENZENES.exists(), reason="the folder of real tables is not beside the repository")
def test_two_edits_of_benzene_make_the_whole_bed_of_substituted_benzenes() -> None:
    with BENZENES.open(encoding="utf-8") as file:
        bed = {row["smiles"] for row in csv.DictReader(file)}
    assert len(bed) == 210
    assert bed <= set(members(closure(["c1ccccc1"], depth=2)))


def test_a_closure_beyond_all_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closures, "MAX_MOLECULES", 20)
    assert len(closure(["C"]).designs) == 12
    with pytest.raises(SettingsError, match=r"2 edits make more than 20 molecules of 1\..*smaller depth"):
        closure(["C"], depth=2)


def test_what_is_no_parent_and_no_depth_is_refused() -> None:
    with pytest.raises(SmilesError, match="more than one molecule"):
        closure(["C.C"])
    with pytest.raises(SettingsError, match="depth -1"):
        closure(["C"], depth=-1)
