"""The conformers of a molecule are five that anybody gets again, and none where it takes no shape."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.extras import ExtraMissingError
from protocols.molecules.conformers import SEEDS, conformers_of
from protocols.molecules.smiles import SmilesError
from tests.support.samples.molecules import hide, needs_rdkit

pytestmark = needs_rdkit


def test_there_is_one_for_each_seed_with_all_hydrogens_and_it_comes_out_the_same_again() -> None:
    found = conformers_of("OCCN")
    assert tuple(conformer.seed for conformer in found) == SEEDS
    for conformer, again in zip(found, conformers_of("OCCN"), strict=True):
        assert conformer.molecule.GetNumAtoms() == 11
        assert conformer.energy == again.energy
        np.testing.assert_array_equal(*(each.molecule.GetConformer().GetPositions() for each in (conformer, again)))


def test_seeds_lead_to_different_shapes_of_a_flexible_molecule() -> None:
    energies = {round(conformer.energy or 0.0, 2) for conformer in conformers_of("OCCN")}
    assert len(energies) > 1


def test_each_is_a_minimum_of_the_force_field() -> None:
    from rdkit.Chem import rdForceFieldHelpers

    for conformer in conformers_of("NC=O"):
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(conformer.molecule)
        forces = rdForceFieldHelpers.MMFFGetMoleculeForceField(conformer.molecule, properties).CalcGrad()
        assert np.abs(forces).max() < 0.01


def test_a_molecule_that_the_force_field_does_not_know_keeps_its_embedding() -> None:
    assert [conformer.energy for conformer in conformers_of("F")] == [None] * len(SEEDS)


def test_a_molecule_without_a_shape_has_none() -> None:
    assert conformers_of("C1#CC1") == ()


def test_a_smiles_without_sense_is_refused() -> None:
    with pytest.raises(SmilesError, match="valence"):
        conformers_of("FC(F)(F)(F)F")


def test_without_rdkit_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "rdkit")
    with pytest.raises(ExtraMissingError, match="molecules"):
        conformers_of("C")
