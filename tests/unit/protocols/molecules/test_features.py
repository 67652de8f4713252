"""Features of a molecule come from its SMILES alone, and are those that the shared bed of benzenes was given."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from protocols.errors import TableError
from protocols.molecules.features import FEATURE_NAMES, _dipole, molecule_features
from tests.support.samples.molecules import needs_rdkit

BENZENES = Path(__file__).parents[4] / "../shared/data/benzenes/features.csv"


@needs_rdkit
@pytest.mark.skipif(not BENZENES.exists(), reason="the folder of real tables is not beside the repository")
def test_features_of_the_bed_of_benzenes_come_out_again() -> None:
    with BENZENES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::15]
    found = molecule_features([row["smiles"] for row in rows])
    np.testing.assert_allclose(found, [[float(row[name]) for name in FEATURE_NAMES] for row in rows], atol=1e-3)


@needs_rdkit
def test_symmetric_molecules_have_no_dipole_moment_and_polar_ones_have() -> None:
    energy, mmff, gasteiger = molecule_features(["c1ccccc1", "Nc1ccc([N+](=O)[O-])cc1"]).T
    np.testing.assert_allclose((mmff[0], gasteiger[0]), 0.0, atol=1e-3)
    assert mmff[1] > 3
    assert gasteiger[1] > 1
    assert np.isfinite(energy).all()


@needs_rdkit
def test_no_molecules_have_no_features() -> None:
    assert molecule_features([]).shape == (0, len(FEATURE_NAMES))


@needs_rdkit
@pytest.mark.parametrize("smiles", ["C1#CC1", "FS(F)(F)(F)(F)F"])
def test_a_molecule_without_a_force_field_is_named(smiles: str) -> None:
    with pytest.raises(TableError, match="has no features: it does not embed, or MMFF94 has no parameters"):
        molecule_features([smiles])


def test_a_dipole_does_not_hang_on_the_origin() -> None:
    positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert _dipole([0.5, -0.25, -0.1], positions) == pytest.approx(_dipole([0.5, -0.25, -0.1], positions + 100.0))
    assert _dipole([-1.0, 1.0], positions[:2]) == pytest.approx(4.803204713)
