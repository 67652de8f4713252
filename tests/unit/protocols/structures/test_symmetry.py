"""The crystal system is spglib's, within both tolerances."""

from __future__ import annotations

import pytest

from protocols.structures.symmetry import crystal_system_of
from protocols.wire.structure import CrystalStructure

CUBE = CrystalStructure(
    cell=((3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 3.0)), symbols=("Cu",), scaled_positions=((0.0, 0.0, 0.0),)
)


@pytest.mark.parametrize(
    ("tilt", "angle", "system"), [(0.0, -1.0, "orthorhombic"), (0.1, -1.0, "monoclinic"), (0.1, 5.0, "orthorhombic")]
)
def test_an_angle_counts_by_its_tolerance(tilt: float, angle: float, system: str) -> None:
    cell = ((3.0, 0.0, 0.0), (0.0, 3.3, 0.0), (tilt, 0.0, 3.7))
    assert crystal_system_of(CUBE.model_copy(update={"cell": cell}), 0.01, angle) == system


def test_atoms_on_one_place_have_no_symmetry() -> None:
    twice = CUBE.model_copy(update={"symbols": ("Cu", "Cu"), "scaled_positions": ((0.0, 0.0, 0.0),) * 2})
    assert crystal_system_of(twice, 0.01, -1.0) is None
