from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from protocols.wire.messages import FailureReason
from simulators.calculators.catalogue import choose_calculator
from simulators.crystals.limits import Limits
from simulators.evaluator import EvaluationFailed
from tests.support.labs.crystals import bench_of, tersoff

EMT = choose_calculator("emt")


@pytest.mark.filterwarnings("ignore:'where' used without 'out'")  # matscipy's
def test_silicon_by_tersoff_has_his_lattice_constant() -> None:
    bench = bench_of(tersoff(), bulk("Si", "diamond", a=5.2, cubic=True))
    assert bench.relaxed().atoms.cell.lengths() == pytest.approx([5.4320] * 3, rel=0.005)


def test_nothing_pulls_at_a_relaxed_crystal() -> None:
    atoms = bulk("Cu", "hcp", a=2.7, c=4.0)
    atoms.symbols[0] = "Au"
    bench = bench_of(EMT, atoms)
    found = bench.relaxed().atoms.copy()
    found.calc = EMT.build()
    assert np.abs(found.get_forces()).max() <= 1e-4
    assert np.abs(found.get_stress()).max() * found.get_volume() / len(found) <= 1e-4
    assert bench.relaxed().energy < bench.shape_kept().energy


def test_a_relaxed_crystal_is_relaxed_once() -> None:
    bench = bench_of(EMT, bulk("Cu", "fcc"))
    assert bench.relaxed() is bench.relaxed()


def test_a_relaxation_that_takes_too_many_steps_is_no_result() -> None:
    atoms = bulk("Cu", "hcp", a=2.7, c=4.0)
    bench = bench_of(EMT, atoms, limits=Limits.of(1, 3600.0))
    with pytest.raises(EvaluationFailed, match="the relaxation of the cell: not converged") as failed:
        bench.relaxed()
    assert failed.value.reason is FailureReason.CALCULATION_FAILED
