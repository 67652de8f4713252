from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Element, Lattice, Structure

from agent.pool.features import GEOMETRY_NAMES, composition_features, structure_features
from protocols.errors import TableError
from protocols.wire.structure import CrystalStructure

CU3AU = Structure(
    Lattice.cubic(3.75), ["Au", "Cu", "Cu", "Cu"], [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
)
"""L1_2: primitive as it is."""


TOLERANCES = (0.03, -1.0)


def row(structure: Structure, tolerances: tuple[float, float] = TOLERANCES) -> dict[str, float]:
    matrix, names = structure_features([CrystalStructure.from_pymatgen(structure)], *tolerances)
    return dict(zip(names, matrix[0].tolist(), strict=True))


def strained(structure: Structure, amount: float) -> Structure:
    deformation = np.eye(3) + amount * np.array([[1.0, 0.3, 0.2], [0.3, -0.5, 0.4], [0.2, 0.4, 0.7]])
    return Structure(structure.lattice.matrix @ deformation, structure.species, structure.frac_coords)


def test_statistics_are_weighted_by_fraction() -> None:
    matrix, names = composition_features(["Fe2O3"])
    found = dict(zip(names, matrix[0].tolist(), strict=True))
    assert found["elements"] == 2
    assert found["atomic_number_mean"] == pytest.approx((2 * 26 + 3 * 8) / 5)
    assert found["atomic_number_std"] == pytest.approx(18 * (0.4 * 0.6) ** 0.5, abs=1e-6)
    assert found["atomic_number_range"] == 18


def test_formulas_of_the_same_fractions_give_the_same_row() -> None:
    matrix, _ = composition_features(["Fe2O3", "O6Fe4", "Fe0.4O0.6"])
    np.testing.assert_array_equal(matrix[1:], matrix[[0, 0]])


def test_every_element_has_every_feature() -> None:
    matrix, names = composition_features([element.symbol for element in Element])
    assert matrix.shape == (len(list(Element)), len(names))
    assert np.isfinite(matrix).all()


def test_a_missing_value_is_the_mean_of_the_row_of_the_periodic_table() -> None:
    """Helium has no electronegativity, and hydrogen is all else that its row has."""
    matrix, names = composition_features(["He", "H"])
    column = names.index("electronegativity_mean")
    assert matrix[0, column] == matrix[1, column] == pytest.approx(2.2)


@pytest.mark.parametrize("formula", ["no formula!", "", "Xq2O", "Cu-3"])
def test_what_is_no_formula_is_a_table_error(formula: str) -> None:
    with pytest.raises(TableError, match="candidate number 2"):
        composition_features(["Cu", formula])


def test_the_geometry_of_a_close_packing() -> None:
    found = row(Structure(np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * 1.8, ["Cu"], [[0, 0, 0]]))
    assert found["volume_per_atom"] == pytest.approx(3.6**3 / 4)
    assert found["coordination_mean"] == pytest.approx(12)
    assert found["nearest_distance_mean"] == pytest.approx(2 ** (1 / 6), abs=1e-6)
    assert found["bond_anisotropy_min"] == found["bond_anisotropy_max"] == pytest.approx(1)
    assert found["unlike_bond_fraction"] == 0


def test_density_is_in_grams_per_cubic_centimetre() -> None:
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.6402), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert row(salt)["density"] == pytest.approx(2.163, abs=2e-3)


def test_unlike_bonds_are_told_from_like_ones() -> None:
    """In Cu3Au gold has 12 copper neighbours, copper 4 gold and 8 copper ones: 24 of 48 bonds are unlike."""
    assert row(CU3AU)["unlike_bond_fraction"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    "axes",
    [
        [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 2, 1], [0, 1, 1], [0, 0, 1]],
        [[2, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 1, 0], [-1, 1, 0], [0, 0, 2]],
    ],
)
@pytest.mark.parametrize("amount", [0.0, 0.08])
def test_the_choice_of_axes_and_origin_does_not_matter(axes: list[list[int]], amount: float) -> None:
    structure = strained(CU3AU, amount)
    other = structure.make_supercell(axes, in_place=False)
    other.translate_sites(range(len(other)), [0.13, 0.27, 0.41])
    rotation = np.linalg.qr(np.array([[1.0, 2, 3], [0, 1, 4], [5, 6, 0]]))[0]
    turned = Structure(other.lattice.matrix @ rotation, other.species, other.frac_coords)
    assert row(turned) == pytest.approx(row(structure), abs=2e-5)


def test_a_small_strain_changes_features_a_little() -> None:
    before, after = row(strained(CU3AU, 0.05)), row(strained(CU3AU, 0.0501))
    assert before != after
    assert all(after[name] == pytest.approx(before[name], abs=5e-3, rel=5e-3) for name in before)


def test_a_strain_shows_in_the_shape_of_the_lattice_and_of_the_bonds() -> None:
    straight, bent = row(CU3AU), row(strained(CU3AU, 0.08))
    for name in ("lattice_vector_1", "bond_anisotropy_min", "bond_anisotropy_max", "nearest_distance_min"):
        assert abs(bent[name] - straight[name]) > 0.01


@pytest.mark.parametrize(
    "structure",
    [
        Structure(Lattice.cubic(20), ["H", "H", "He"], [[0, 0, 0], [0.03, 0, 0], [0.5, 0.5, 0.5]]),
        Structure(Lattice.cubic(4), ["Cu", "Cu"], [[0, 0, 0], [0, 0, 0]]),
        Structure(Lattice.from_parameters(2.5, 2.5, 60, 90, 90, 120), ["C", "C"], [[0, 0, 0], [1 / 3, 2 / 3, 0]]),
    ],
    ids=["molecule", "two atoms on one place", "sheet"],
)
def test_odd_structures_have_finite_features(structure: Structure) -> None:
    assert np.isfinite(list(row(structure).values())).all()


def test_a_missing_structure_is_a_table_error() -> None:
    with pytest.raises(TableError, match="number 2 has no structure"):
        structure_features([CrystalStructure.from_pymatgen(CU3AU), None], *TOLERANCES)


def test_an_unknown_element_is_a_table_error() -> None:
    strange = CrystalStructure(
        cell=((3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 3.0)), symbols=("Xq",), scaled_positions=((0.0, 0.0, 0.0),)
    )
    with pytest.raises(TableError, match="Xq"):
        structure_features([strange], *TOLERANCES)


def test_names_belong_to_columns_and_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    crystals = [CrystalStructure.from_pymatgen(strained(CU3AU, amount)) for amount in (0.0, 0.1)]
    matrix, names = structure_features(crystals, *TOLERANCES, lambda done, total: told.append((done, total)))
    assert matrix.shape == (2, len(names)) == (2, 45)
    assert len(set(names)) == len(names)
    assert names[-len(GEOMETRY_NAMES) :] == GEOMETRY_NAMES
    assert told == [(1, 2), (2, 2)]


def test_nothing_to_describe_keeps_the_columns() -> None:
    assert composition_features([])[0].shape == (0, 31)
    assert structure_features([], *TOLERANCES)[0].shape == (0, 45)


def test_the_primitive_cell_hangs_on_the_tolerance() -> None:
    """A body centre that is off by 0.05 Å."""
    off = Structure(Lattice.cubic(4.0), ["Cu", "Cu"], [[0, 0, 0], [0.5, 0.5, 0.5125]])
    assert [row(off, (distance, -1.0))["sites_per_primitive_cell"] for distance in (0.01, 0.1)] == [2, 1]
