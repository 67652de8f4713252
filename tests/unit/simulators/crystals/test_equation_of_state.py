from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from simulators.calculators.catalogue import choose_calculator
from simulators.crystals.equation_of_state import VOLUME_STRAIN, bulk_modulus, fitted
from simulators.evaluator import EvaluationFailed
from tests.support.labs.crystals import bench_of
from tests.unit.simulators.crystals.test_elasticity import CONSTANTS

EMT = choose_calculator("emt")


@pytest.mark.parametrize("metal", CONSTANTS)
def test_it_gives_the_modulus_that_the_elastic_tensor_gives(metal: str) -> None:
    """Also of aluminium and nickel, whose energies by EMT are not smooth."""
    assert bulk_modulus(bench_of(EMT, bulk(metal, "fcc"))) == pytest.approx(CONSTANTS[metal][4], rel=0.01)


def test_a_curve_of_birch_and_murnaghan_gives_its_modulus_back() -> None:
    """B = 100 GPa, B' = 5, at 20 Å^3, sampled beside its minimum."""
    modulus, volume = 100 / 160.21766208, 20.0
    volumes = np.linspace(0.97, 1.02, 9) * volume
    y = (volume / volumes) ** (2 / 3) - 1
    energies = 9 / 8 * modulus * volume * (y**2 + (5 - 4) / 2 * y**3) - 3.5
    found, left = fitted(volumes, energies)
    assert found == pytest.approx(100, rel=1e-9)
    assert left < 1e-9


@pytest.mark.parametrize(
    ("energies", "says"),
    [(np.linspace(0, 1, 7), "no minimum"), (np.array([1.0, -1, 1, -1.2, 1, -1, 1]), "leaves")],
)
def test_energies_without_an_equation_of_state_are_refused(energies: np.ndarray, says: str) -> None:
    with pytest.raises(EvaluationFailed, match=says):
        fitted(np.linspace(9.8, 10.2, 7), energies)


def test_the_volumes_stay_within_the_stated_range() -> None:
    assert VOLUME_STRAIN <= 0.04
    bench = bench_of(EMT, bulk("Cu", "fcc"))
    bulk_modulus(bench)
    assert "within 2%" in str(bench.notes["equation_of_state"])
