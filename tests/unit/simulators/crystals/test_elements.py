from __future__ import annotations

import pytest
from ase.build import bulk

from protocols.wire.messages import FailureReason
from simulators.calculators.catalogue import choose_calculator
from simulators.crystals.elements import Elements
from simulators.crystals.limits import Limits
from simulators.evaluator import EvaluationFailed
from tests.support.labs.crystals import bench_of, stillinger_weber

EMT = Elements(choose_calculator("emt"))
TIME = Limits.of(500, 3600.0)


@pytest.mark.parametrize(
    ("metal", "ground", "below_fcc"), [("Cu", "hcp", 0.00094), ("Al", "hcp", 0.00394), ("Ag", "fcc", 0.0)]
)
def test_an_element_stands_in_its_own_ground_state(metal: str, ground: str, below_fcc: float) -> None:
    found = EMT.reference(metal, TIME)
    fcc = bench_of(EMT.choice, bulk(metal, "fcc")).relaxed().energy
    assert found.crystal == ground
    assert fcc - found.energy == pytest.approx(below_fcc, abs=5e-5)


def test_an_element_is_relaxed_once() -> None:
    assert EMT.reference("Cu", TIME) is EMT.reference("Cu", TIME)


def test_silicon_by_stillinger_and_weber_is_diamond() -> None:
    found = Elements(stillinger_weber()).reference("Si", TIME)
    assert (found.crystal, found.energy) == ("diamond", pytest.approx(-4.3364, abs=1e-3))


@pytest.mark.parametrize(
    ("calculator", "symbol", "says"),
    [
        ("emt", "Si", "has Si; the calculator 'emt' knows only"),
        ("lennard_jones", "Cl", "^unsupported: Cl has no reference"),
        ("lennard_jones", "O", "O has no reference .* its ground state .diatom. is none of"),
        ("lennard_jones", "Si", "Si has no reference .* its ground state .diamond."),
        ("morse", "C", "graphite"),
    ],
)
def test_a_reference_that_would_be_nonsense_is_refused_by_name(calculator: str, symbol: str, says: str) -> None:
    elements = Elements(choose_calculator(calculator))
    for _ in range(2):
        with pytest.raises(EvaluationFailed, match=says) as failed:
            elements.reference(symbol, TIME)
        assert failed.value.reason is FailureReason.UNSUPPORTED
