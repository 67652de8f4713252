from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

from protocols.structures.symmetry import LAST_GROUPS, crystal_system_of, symmetry_of, tolerances_in_words
from protocols.wire.structure import CrystalStructure

USUAL = (0.01, -1.0)


def cell_of(lengths: tuple[float, float, float], angles: tuple[float, float, float]) -> tuple[tuple[float, ...], ...]:
    """Lattice vectors of lengths [Å] and angles [degree], a along x and b in the xy plane."""
    (a, b, c), (alpha, beta, gamma) = lengths, (math.radians(angle) for angle in angles)
    x = c * math.cos(beta)
    y = c * (math.cos(alpha) - math.cos(beta) * math.cos(gamma)) / math.sin(gamma)
    return (
        (a, 0.0, 0.0),
        (b * math.cos(gamma), b * math.sin(gamma), 0.0),
        (x, y, math.sqrt(c * c - x * x - y * y)),
    )


def copper(
    lengths: tuple[float, float, float] = (3.6, 3.6, 3.6), angles: tuple[float, float, float] = (90.0, 90.0, 90.0)
) -> CrystalStructure:
    return CrystalStructure.model_validate(
        {"cell": cell_of(lengths, angles), "symbols": ("Cu",), "scaled_positions": ((0.0, 0.0, 0.0),)}
    )


def by_pymatgen(crystal: CrystalStructure, *tolerances: float) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(SpacegroupAnalyzer(crystal.to_pymatgen(), *tolerances).get_crystal_system())
        except SymmetryUndeterminedError:
            return None


@pytest.mark.parametrize(
    ("lengths", "angles", "system"),
    [
        ((3.6, 3.6, 3.6), (90, 90, 90), "cubic"),
        ((3.6, 3.6, 4.6), (90, 90, 120), "hexagonal"),
        ((3.6, 3.6, 3.6), (80, 80, 80), "trigonal"),
        ((3.6, 3.6, 4.6), (90, 90, 90), "tetragonal"),
        ((3.6, 4.1, 4.6), (90, 90, 90), "orthorhombic"),
        ((3.6, 4.1, 4.6), (90, 99, 90), "monoclinic"),
        ((3.6, 4.1, 4.6), (82, 99, 75), "triclinic"),
    ],
)
def test_a_lattice_of_each_crystal_system_is_of_it(lengths: tuple, angles: tuple, system: str) -> None:
    assert crystal_system_of(copper(lengths, angles), *USUAL) == system


@pytest.mark.parametrize("angle", [90.5, 92.0])
def test_an_angle_is_judged_by_the_distance_unless_a_tolerance_is_named(angle: float) -> None:
    crystal = copper((3.6, 3.9, 4.2), (90, angle, 90))
    assert crystal_system_of(crystal, *USUAL) == "monoclinic"
    assert crystal_system_of(crystal, 0.01, 5.0) == "orthorhombic"


@pytest.mark.parametrize(("tolerance", "system"), [(0.01, "tetragonal"), (0.1, "cubic")])
def test_the_distance_tolerance_decides(tolerance: float, system: str) -> None:
    assert crystal_system_of(copper((3.6, 3.6, 3.65)), tolerance, -1.0) == system


def test_the_primitive_cell_of_a_close_packing_has_one_site() -> None:
    crystal = CrystalStructure(
        cell=((3.6, 0, 0), (0, 3.6, 0), (0, 0, 3.6)),
        symbols=("Cu",) * 4,
        scaled_positions=((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)),
    )
    found = symmetry_of(crystal, *USUAL)
    assert found is not None
    assert (found.space_group, found.primitive_sites) == (225, 1)
    assert abs(np.linalg.det(found.primitive_lattice)) == pytest.approx(3.6**3 / 4)


@pytest.mark.parametrize("apart", [0.0, 1e-4])
def test_atoms_of_one_element_on_one_place_have_no_symmetry(apart: float) -> None:
    crystal = CrystalStructure(
        cell=((3.6, 0, 0), (0, 3.6, 0), (0, 0, 3.6)), symbols=("Cu", "Cu"), scaled_positions=((0, 0, 0), (0, 0, apart))
    )
    assert crystal_system_of(crystal, *USUAL) is None


def test_every_space_group_belongs_to_a_crystal_system() -> None:
    counts = np.diff([0, *(last for last, _ in LAST_GROUPS)]).tolist()
    assert dict(zip((system for _, system in LAST_GROUPS), counts, strict=True)) == {
        "triclinic": 2, "monoclinic": 13, "orthorhombic": 59, "tetragonal": 68, "trigonal": 25, "hexagonal": 27,
        "cubic": 36,
    }  # fmt: skip


ANGLES = st.sampled_from([90.0, 90.02, 90.2, 91.0, 94.0, 95.1, 120.0, 119.9, 60.0, 109.4712206])
LENGTHS = st.sampled_from([3.6, 3.6005, 3.608, 3.61, 3.7, 5.0])
PLACES = st.sampled_from([0.0, 0.25, 0.3333, 1 / 3, 0.5, 0.502, 0.75])
TOLERANCES = st.sampled_from([(0.01, -1.0), (0.1, -1.0), (0.01, 5.0), (0.3, 1.0), (0.001, -1.0)])


@given(st.tuples(LENGTHS, LENGTHS, LENGTHS), ANGLES, st.tuples(PLACES, PLACES, PLACES), st.booleans(), TOLERANCES)
def test_pymatgens_analyzer_says_the_same_near_every_edge(
    lengths: tuple[float, float, float],
    angle: float,
    place: tuple[float, float, float],
    alike: bool,
    tolerances: tuple[float, float],
) -> None:
    crystal = CrystalStructure.model_validate(
        {
            "cell": cell_of(lengths, (90.0, 90.0, angle)),
            "symbols": ("Cu", "Cu" if alike else "Au"),
            "scaled_positions": ((0.0, 0.0, 0.0), place),
        }
    )
    assert crystal_system_of(crystal, *tolerances) == by_pymatgen(crystal, *tolerances)


def test_tolerances_are_said_in_words() -> None:
    assert tolerances_in_words(0.01, -1.0) == "by spglib within 0.01 Å, angles by the distance only"
    assert tolerances_in_words(0.1, 5.0) == "by spglib within 0.1 Å, angles within 5°"
