"""The table: 108 atoms by EMT, unrelaxed and relaxed, made without this code."""

from __future__ import annotations

import pytest
from ase.build import bulk

from protocols.wire.messages import FailureReason
from simulators.calculators.catalogue import choose_calculator
from simulators.crystals.vacancies import formation_energy
from simulators.evaluator import EvaluationFailed
from tests.support.labs.crystals import bench_of

EMT = choose_calculator("emt")

ENERGIES = {  # unrelaxed, relaxed [eV]
    "Cu": (1.2384, 1.2243), "Al": (0.9764, 0.9526), "Ni": (1.9250, 1.9021), "Pd": (0.9416, 0.9324),
    "Ag": (0.8570, 0.8511), "Pt": (1.0443, 1.0231), "Au": (0.7542, 0.7363),
}  # fmt: skip


@pytest.mark.parametrize("metal", ENERGIES)
def test_the_vacancy_of_a_metal_is_that_of_the_table(metal: str) -> None:
    bench = bench_of(EMT, bulk(metal, "fcc"))
    unrelaxed, relaxed = ENERGIES[metal]
    assert formation_energy(bench) == pytest.approx(relaxed, rel=0.01)
    assert "one of 108 atoms" in str(bench.notes["vacancy"])
    assert float(str(bench.notes["vacancy"]).split()[-2]) == pytest.approx(unrelaxed, rel=0.01)


@pytest.mark.parametrize(
    ("atoms", "says"),
    [
        (bulk("CuAu", "cesiumchloride", a=3.1), "expected one element"),
        (bulk("Cu", "hcp", a=2.54, c=4.15).repeat((1, 1, 2)), None),
    ],
)
def test_a_vacancy_has_a_meaning_of_one_element_on_equal_sites(atoms: object, says: str | None) -> None:
    bench = bench_of(EMT, atoms)
    if says is None:
        assert formation_energy(bench) == pytest.approx(1.22, abs=0.02)
        return
    with pytest.raises(EvaluationFailed, match=says) as failed:
        formation_energy(bench)
    assert failed.value.reason is FailureReason.UNSUPPORTED
