from __future__ import annotations

from math import exp

import numpy as np
import pytest
from ase.build import bulk

from protocols.wire.messages import FailureReason
from simulators.calculators.catalogue import EMT_METALS, choose_calculator
from simulators.crystals.shape_kept import Point, minimum, relax_volume
from simulators.evaluator import EvaluationFailed

EMT = choose_calculator("emt")


@pytest.mark.parametrize("metal", EMT_METALS)
def test_a_relaxation_takes_few_energies(metal: str) -> None:
    assert relax_volume(EMT, bulk(metal, "fcc")).evaluations <= 6


def test_shape_and_fractional_positions_stay() -> None:
    atoms = bulk("Cu", "fcc", cubic=True)
    atoms.set_cell(np.array(atoms.cell) @ np.diag([1, 1, 1.15]), scale_atoms=True)
    positions, ratio = atoms.get_scaled_positions(), atoms.cell[2, 2] / atoms.cell[0, 0]
    found = relax_volume(EMT, atoms).atoms
    assert found.cell[2, 2] / found.cell[0, 0] == pytest.approx(ratio, rel=1e-12)
    assert found.get_scaled_positions() == pytest.approx(positions, abs=1e-12)


def test_a_curve_without_a_minimum_is_a_failed_calculation() -> None:
    calls: list[float] = []

    def repulsive(x: float) -> Point:
        calls.append(x)
        return Point(x, exp(-3 * x), -3 * exp(-3 * x))

    with pytest.raises(EvaluationFailed, match="no volume without pressure") as failed:
        minimum(repulsive, 90.0)
    assert failed.value.reason is FailureReason.CALCULATION_FAILED
    assert len(calls) <= 30


def test_a_maximum_is_not_taken_for_a_minimum() -> None:
    """The slope vanishes at the start, on top of a hill; the minimum is beside it."""
    found, curvature = minimum(lambda x: Point(x, -np.cos(40 * x + np.pi), 40 * np.sin(40 * x + np.pi)), 90.0)
    assert abs(found.x) == pytest.approx(np.pi / 40, abs=1e-5)
    assert curvature > 0
