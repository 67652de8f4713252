"""The table: EMT by finite differences of 1e-4, without this code; silicon by Stillinger and Weber (1985)."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from protocols.wire.messages import FailureReason
from simulators.calculators.catalogue import choose_calculator
from simulators.crystals import elasticity
from simulators.crystals.averages import averages_of
from simulators.evaluator import EvaluationFailed
from tests.support.labs.crystals import bench_of, stillinger_weber

EMT = choose_calculator("emt")

CONSTANTS = {  # lattice constant [Å], C11, C12, C44, bulk and shear modulus [GPa]
    "Cu": (3.58983, 172.59, 115.43, 89.90, 134.48, 56.88),
    "Al": (3.99427, 53.33, 32.89, 36.20, 39.70, 21.88),
    "Ni": (3.48714, 230.77, 148.78, 146.96, 176.11, 88.42),
    "Pd": (3.87874, 215.52, 161.16, 73.42, 179.28, 49.31),
    "Ag": (4.06355, 125.87, 87.30, 54.20, 100.16, 35.83),
    "Pt": (3.92180, 317.98, 258.45, 79.15, 278.30, 53.48),
    "Au": (4.05617, 196.48, 162.52, 46.97, 173.84, 31.25),
}


@pytest.mark.parametrize("metal", CONSTANTS)
def test_the_constants_of_a_metal_are_those_of_the_table(metal: str) -> None:
    edge, *expected = CONSTANTS[metal]
    bench = bench_of(EMT, bulk(metal, "fcc", cubic=True))
    constants, moduli = elasticity.elastic_tensor(bench).constants, elasticity.averages(bench)
    found = (constants[0, 0], constants[0, 1], constants[3, 3], moduli.bulk, moduli.shear)
    assert bench.relaxed().atoms.cell[0, 0] == pytest.approx(edge, rel=0.005)
    assert found == pytest.approx(expected, rel=0.01)


def test_ions_of_hcp_copper_move_under_strain() -> None:
    bench = bench_of(EMT, bulk("Cu", "hcp", a=2.56, c=4.18))
    found = elasticity.elastic_tensor(bench)
    a, _, c = bench.relaxed().atoms.cell.lengths()
    assert (a, c / a) == pytest.approx((2.5386, 1.6320), rel=0.005)
    assert (found.clamped[0, 0], found.clamped[0, 1]) == pytest.approx((233.6, 94.8), rel=0.01)
    assert (found.constants[0, 0], found.constants[0, 1]) == pytest.approx((216.3, 112.1), rel=0.01)


@pytest.mark.parametrize("share", [elasticity.FORCE_SHARE, elasticity.FORCE_SHARE / 2])
def test_halving_the_largest_force_changes_no_constant_of_silicon(share: float) -> None:
    bench = bench_of(stillinger_weber(), bulk("Si", "diamond", a=5.43))
    assert bench.relaxed().atoms.cell.lengths()[0] * 2**0.5 == pytest.approx(5.4309, rel=0.005)
    found = elasticity.strained(bench.choice, bench.relaxed(), bench.limits, force_share=share)
    assert found.clamped[3, 3] == pytest.approx(109.8, rel=0.01)
    assert found.constants[3, 3] == pytest.approx(56.45, rel=0.001)
    assert found.constants[0, 0] == pytest.approx(found.clamped[0, 0], rel=0.001), "symmetry holds the ions"


def test_a_cell_that_is_turned_gives_the_same_components() -> None:
    straight = bulk("Cu", "fcc", cubic=True)
    turned = bulk("Cu", "fcc")
    turned.rotate(33, (1, 2, 3), rotate_cell=True)
    found = [elasticity.elastic_tensor(bench_of(EMT, atoms)).constants for atoms in (straight, turned)]
    assert found[0] == pytest.approx(found[1], abs=0.02)
    assert np.abs(found[1][:3, 3:]).max() < 0.02


def test_a_crystal_that_gives_way_has_constants_and_no_moduli() -> None:
    bench = bench_of(EMT, bulk("Cu", "sc", a=2.4))
    assert elasticity.elastic_tensor(bench).constants[3, 3] < 0
    with pytest.raises(EvaluationFailed, match="not stable under strain") as failed:
        elasticity.averages(bench)
    assert failed.value.reason is FailureReason.CALCULATION_FAILED


def test_several_properties_share_one_tensor() -> None:
    bench = bench_of(EMT, bulk("Cu", "fcc"))
    assert elasticity.elastic_tensor(bench) is elasticity.elastic_tensor(bench)
    assert elasticity.averages(bench) == averages_of(elasticity.elastic_tensor(bench).constants)
