from __future__ import annotations

import pytest
from ase import Atoms
from ase.build import bulk

from protocols.wire.messages import FailureReason
from simulators.calculators.catalogue import choose_calculator
from simulators.crystals.limits import Limits, relax
from simulators.evaluator import EvaluationFailed

EMT = choose_calculator("emt")


def rattled() -> Atoms:
    atoms = bulk("Cu", "fcc", cubic=True).repeat(2)
    atoms.rattle(0.1, seed=1)
    atoms.calc = EMT.build()
    return atoms


def test_it_goes_on_until_the_forces_are_small() -> None:
    atoms = rattled()
    done = relax("copper", atoms, 0.01, Limits.of(200, 600))
    assert 0 < done.steps < 200
    assert abs(atoms.get_forces()).max() <= done.force <= 0.01


def test_what_does_not_converge_in_its_steps_says_how_far_it_came() -> None:
    says = "copper: not converged, the largest force is .* after 3 steps; expected 1e-05 within 3"
    with pytest.raises(EvaluationFailed, match=says) as failed:
        relax("copper", rattled(), 1e-5, Limits.of(3, 600))
    assert failed.value.reason is FailureReason.CALCULATION_FAILED


def test_what_does_not_converge_in_its_time_says_so() -> None:
    with pytest.raises(EvaluationFailed, match="copper: not done within") as failed:
        relax("copper", rattled(), 1e-5, Limits.of(500, 1e-9))
    assert failed.value.reason is FailureReason.DEADLINE_EXCEEDED


def test_forces_that_are_not_finite_are_no_result() -> None:
    atoms = Atoms("Cu2", positions=[(0, 0, 0), (0, 0, 0)], cell=[8, 8, 8], pbc=True, calculator=EMT.build())
    with pytest.raises(EvaluationFailed, match="copper: a force is not finite") as failed:
        relax("copper", atoms, 0.01, Limits.of(50, 600))
    assert failed.value.reason is FailureReason.CALCULATION_FAILED
