"""The table: EMT by phonopy 4.10, supercells of 2³ and 4³, which agree; made without this code."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from protocols.extras import EXTRA_OF
from protocols.wire.messages import FailureReason
from simulators.calculators.catalogue import choose_calculator
from simulators.crystals import vibrations
from simulators.evaluator import EvaluationFailed
from tests.support.labs.crystals import bench_of

EMT = choose_calculator("emt")

FREQUENCIES = {  # at X and L [THz]
    "Cu": ((5.530, 5.530, 8.141), (3.549, 3.549, 8.067)),
    "Al": ((5.634, 5.634, 8.600), (3.497, 3.497, 8.560)),
}


@pytest.mark.parametrize("metal", FREQUENCIES)
def test_the_frequencies_of_a_metal_are_those_of_the_table(metal: str) -> None:
    pytest.importorskip("phonopy", reason=f"the extra {EXTRA_OF['phonopy']!r} is not installed")
    bench = bench_of(EMT, bulk(metal, "fcc"))
    multiples = vibrations.supercell_of(bench.relaxed().atoms)
    points = np.array([(0.5, 0.5, 0.0), (0.5, 0.0, 0.0)])
    found = vibrations.frequencies(vibrations.vibrations_of(bench, multiples), points)
    assert found == pytest.approx(np.array(FREQUENCIES[metal]), rel=0.01)


def test_optical_modes_at_the_centre_count_and_acoustic_ones_do_not() -> None:
    """Of L1_2 Cu3Au the smallest over all wave vectors is above zero, and no optical mode at Γ is left out."""
    pytest.importorskip("phonopy", reason=f"the extra {EXTRA_OF['phonopy']!r} is not installed")
    atoms = bulk("Cu", "fcc", a=3.71, cubic=True)
    atoms.symbols[0] = "Au"
    bench = bench_of(EMT, atoms)
    assert bench.relaxed().atoms.cell[0, 0] == pytest.approx(3.7081, rel=0.005)
    found = vibrations.frequencies(vibrations.vibrations_of(bench, (2, 2, 2)), np.zeros((1, 3)))[0]
    assert found[:3] == pytest.approx(0, abs=1e-3)
    assert found[3:] == pytest.approx([3.87] * 3 + [5.34] * 3 + [6.70] * 3, rel=0.01)
    assert 0.5 < vibrations.smallest_frequency(bench) < 3.87


def test_an_unstable_crystal_has_a_negative_frequency() -> None:
    pytest.importorskip("phonopy", reason=f"the extra {EXTRA_OF['phonopy']!r} is not installed")
    assert vibrations.smallest_frequency(bench_of(EMT, bulk("Cu", "sc", a=2.4))) < -1


def test_a_supercell_is_even_and_reaches_farther_than_the_forces() -> None:
    assert vibrations.supercell_of(bulk("Cu", "fcc")) == (4, 4, 4)
    assert vibrations.supercell_of(bulk("Cu", "fcc", cubic=True)) == (2, 2, 2)
    with pytest.raises(EvaluationFailed, match="has 4000 atoms") as failed:
        vibrations.supercell_of(bulk("Cu", "fcc", cubic=True).repeat(5))
    assert failed.value.reason is FailureReason.UNSUPPORTED


def test_without_phonopy_it_says_which_extra_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protocols.extras.is_installed", lambda package: False)
    with pytest.raises(EvaluationFailed, match=r"entropilot\[phonons\]") as failed:
        vibrations.smallest_frequency(bench_of(EMT, bulk("Cu", "fcc")))
    assert failed.value.reason is FailureReason.UNSUPPORTED
