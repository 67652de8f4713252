"""The table: relaxed slabs of 7 and 11 layers of the relaxed crystal by EMT, made without this code."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from protocols.wire.messages import FailureReason
from simulators.calculators.catalogue import choose_calculator
from simulators.crystals.surfaces import Face, slab_of, surface_energy
from simulators.evaluator import EvaluationFailed
from tests.support.labs.crystals import bench_of

EMT = choose_calculator("emt")

ENERGIES = {  # of the faces 111, 100, 110 [J/m^2]
    "Cu": (1.044, 1.134, 1.229), "Al": (0.707, 0.731, 0.788), "Ni": (1.704, 1.819, 1.969), "Pd": (0.667, 0.766, 0.825),
    "Ag": (0.547, 0.614, 0.665), "Pt": (0.749, 0.876, 0.931), "Au": (0.514, 0.599, 0.635),
}  # fmt: skip


@pytest.mark.parametrize("metal", ENERGIES)
def test_the_surfaces_of_a_metal_are_those_of_the_table(metal: str) -> None:
    """Of a crystal that was given 4 % too large: slabs are cut from the relaxed one."""
    bench = bench_of(EMT, bulk(metal, "fcc", a=1.04 * bulk(metal, "fcc", cubic=True).cell[0, 0]))
    found = [surface_energy(bench, face) for face in ((1, 1, 1), (1, 0, 0), (1, 1, 0))]
    assert found == pytest.approx(ENERGIES[metal], rel=0.01)


@pytest.mark.parametrize("face", [(1, 1, 1), (1, 0, 0), (1, 1, 0)])
@pytest.mark.parametrize("edge", [3.487137993963394, 3.5898188751707267, 4.0])
def test_the_planes_of_a_slab_are_equally_far_apart(face: Face, edge: float) -> None:
    """Cut as it stands, rounding put an atom of nickel's lowest plane on top."""
    slab = slab_of(bulk("Ni", "fcc", a=edge, cubic=True), face)
    gaps = np.diff(np.unique(np.round(slab.positions[:, 2], 5)))
    assert np.ptp(gaps) < 1e-4
    assert np.ptp(slab.positions[:, 2]) + gaps[0] >= 14


@pytest.mark.parametrize(
    ("atoms", "says"),
    [
        (bulk("CuAu", "cesiumchloride", a=3.1), "of Au, Cu depends on the plane of the cut; expected one element"),
        (bulk("Cu", "hcp", a=2.54, c=4.15), "cubic crystals with one atom a primitive cell"),
    ],
)
def test_where_the_cut_is_a_choice_there_is_no_value(atoms: object, says: str) -> None:
    with pytest.raises(EvaluationFailed, match=says) as failed:
        surface_energy(bench_of(EMT, atoms), (1, 0, 0))
    assert failed.value.reason is FailureReason.UNSUPPORTED
