"""GFN2-xTB gives energies, dipole moments and gaps in the units that are promised, and says why when it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.units import Debye
from threadpoolctl import threadpool_limits

from protocols.extras import load
from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed
from simulators.molecules import gfn2
from tests.support.samples.molecules import needs_xtb

pytestmark = needs_xtb

WATER = Atoms("OH2", positions=[[0.0, 0.0, 0.119], [0.0, 0.763, -0.477], [0.0, -0.763, -0.477]])


def test_the_dipole_moment_is_in_debye_whatever_the_unit_of_the_library() -> None:
    atoms = WATER.copy()
    atoms.calc = load("tblite.ase").TBLite(method=gfn2.METHOD, verbosity=0)
    in_e_angstrom = float(np.linalg.norm(atoms.get_dipole_moment()))
    state = gfn2.electronic_state(WATER)
    assert state.dipole == pytest.approx(in_e_angstrom / Debye, abs=1e-4)
    assert 2.1 < state.dipole < 2.4, "e·Å taken for debye would give 0.48"
    assert state.energy == pytest.approx(float(atoms.get_potential_energy()), abs=1e-5)


def test_the_gap_is_that_between_the_last_filled_orbital_and_the_next() -> None:
    assert gfn2.electronic_state(WATER).gap == pytest.approx(14.5, abs=0.5)


def test_a_relaxed_molecule_is_at_rest_and_its_energy_is_lower() -> None:
    stretched = WATER.copy()
    stretched.positions *= 1.1
    before = gfn2.electronic_state(stretched).energy
    relaxed = gfn2.relax(stretched)
    assert relaxed.converged
    assert 0 < relaxed.steps < 30
    assert relaxed.energy < before - 0.1
    relaxed.atoms.calc = load("tblite.ase").TBLite(method=gfn2.METHOD, verbosity=0)
    assert np.linalg.norm(relaxed.atoms.get_forces(), axis=1).max() < gfn2.MAX_FORCE


def test_a_molecule_has_the_same_last_bit_however_many_threads_there_are() -> None:
    with threadpool_limits(2):
        told = [gfn2.electronic_state(gfn2.relax(WATER.copy()).atoms) for _ in range(8)]
    assert told == [told[0]] * len(told)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    gfn2.electronic_state(gfn2.relax(WATER.copy()).atoms)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("where", [0.0, float("nan")])
def test_atoms_that_meet_or_are_nowhere_are_a_failed_calculation(where: float) -> None:
    atoms = Atoms("OH2", positions=[[where, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    for calculate in (gfn2.electronic_state, gfn2.relax):
        with pytest.raises(EvaluationFailed, match="GFN2-xTB: ") as failed:
            calculate(atoms.copy())
        assert failed.value.reason is FailureReason.CALCULATION_FAILED
