"""The atoms of a CIF: those that pymatgen's reader gives where it has nothing to warn of, or a refusal."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Structure

from protocols.structures.cif.formula import NOT_COMPARED
from protocols.structures.cif.read import NO_SYMMETRY, ONLY_SETTING, read_cif
from protocols.structures.cif.symmetry import NOT_OF_LATTICE
from protocols.structures.faults import StructureFault
from tests.support.samples.cif_texts import COLUMNS, ROCK_SALT, cif_text

HCP_GROUP = "_symmetry_space_group_name_H-M 'P 63/m m c'\n"
DIAMOND = "_symmetry_space_group_name_H-M 'F d -3 m{}'\n"
MULTIPLICITY = (*COLUMNS[:5], "symmetry_multiplicity")


def hexagonal(extra: str, sites: str) -> str:
    """A CIF with the cell of magnesium."""
    return cif_text(extra, sites, lengths=(3.21, 3.21, 5.21), angles=(90, 90, 120))


def test_the_operations_fill_the_cell_as_pymatgen_does_to_the_bit() -> None:
    operations = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'-x+1/2, y, -z'\n"
    formula = "_chemical_formula_sum 'Na O4'\n"
    text = cif_text(formula + operations, "O1 O 0.1 0.2 0.3 1\nNa1 Na 0.25 0.5 0 1\nO2 O 0.7 0.4 0.6 1")
    found = read_cif(text)
    expected = Structure.from_str(text, fmt="cif")
    assert found.symbols == tuple(site.specie.symbol for site in expected) == ("Na", "O", "O", "O", "O")
    assert np.array_equal(found.cell, expected.lattice.matrix)
    assert np.array_equal(found.positions % 1.0, expected.frac_coords % 1.0)
    assert (found.notes, found.lines) == ((), (21, 20, 20, 22, 22))


def test_a_group_fills_the_cell_without_its_operations() -> None:
    found = read_cif(cif_text(ROCK_SALT + "_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 4\n"))
    assert (found.symbols, found.notes) == (("Na",) * 4 + ("Cl",) * 4, ())
    assert sorted(map(tuple, found.positions[:4].tolist())) == [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]


@pytest.mark.parametrize("third", ["0.3333", "0.33333", "0.33330"])
def test_a_third_of_four_digits_is_a_third(third: str) -> None:
    two_thirds = str(round(1 - float(third), 5))
    found = read_cif(hexagonal(HCP_GROUP, f"Mg1 Mg {third} {two_thirds} 0.25 1"))
    assert np.allclose(sorted(found.positions.tolist()), [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])


def test_a_coordinate_that_no_operation_fixes_stays_what_it_is() -> None:
    found = read_cif(hexagonal("_symmetry_space_group_name_H-M 'P 3 m 1'\n", "Mg1 Mg 0 0 0.16667046 1"))
    assert found.positions[0, 2] == pytest.approx(0.16667046, abs=1e-12)


@pytest.mark.parametrize("place", ["0.333 0.667 0.25", "0.33 0.67 0.25", "0.3334 0.663 0.25"])
def test_a_place_of_too_few_digits_is_refused_with_its_line(place: str) -> None:
    with pytest.raises(StructureFault) as caught:
        read_cif(hexagonal(HCP_GROUP + "_chemical_formula_sum Mg2\n", f"Mg1 Mg {place} 1"))
    assert (caught.value.unread.reason, caught.value.unread.line) == ("a site has too few digits for its symmetry", 17)


def test_a_cell_in_another_unit_is_not_taken_for_too_few_digits() -> None:
    assert len(read_cif(cif_text(ROCK_SALT, lengths=(0.564,) * 3)).symbols) == 8


def test_three_digits_are_enough_where_no_symmetry_needs_more() -> None:
    sites = "Mg1 Mg 0.333 0.667 0.25 1\nMg2 Mg 0.667 0.333 0.75 1"
    assert len(read_cif(hexagonal("_symmetry_space_group_name_H-M 'P 1'\n", sites)).symbols) == 2


def test_a_cif_that_says_neither_symmetry_nor_formula_is_read_as_it_stands_with_a_note() -> None:
    assert read_cif(cif_text()).notes == (NO_SYMMETRY,)
    assert read_cif(cif_text("_chemical_formula_sum 'NA CL'\n")).notes == (NOT_COMPARED, NO_SYMMETRY)
    assert read_cif(cif_text("_chemical_formula_sum 'Na Cl'\n")).notes == ()


def test_an_open_origin_is_taken_where_only_one_makes_the_formula() -> None:
    formula = "_chemical_formula_sum Si\n_cell_formula_units_Z 8\n"
    found = read_cif(cif_text(DIAMOND.format("") + formula, "Si Si 0 0 0 1", lengths=(5.43,) * 3))
    assert (len(found.symbols), found.notes) == (8, (ONLY_SETTING,))


def test_an_open_origin_that_makes_two_crystals_is_refused() -> None:
    with pytest.raises(StructureFault, match="several settings"):
        read_cif(cif_text(DIAMOND.format(""), "Si Si 0 0 0 1", lengths=(5.43,) * 3))
    assert len(read_cif(cif_text(DIAMOND.format(":1"), "Si Si 0 0 0 1", lengths=(5.43,) * 3)).symbols) == 8
    assert len(read_cif(cif_text(DIAMOND.format(":2"), "Si Si 0 0 0 1", lengths=(5.43,) * 3)).symbols) == 16


def test_an_open_origin_of_which_none_fits_is_refused_for_the_first() -> None:
    formula = "_chemical_formula_sum 'Si C'\n"
    with pytest.raises(StructureFault, match="without a site of C"):
        read_cif(cif_text(DIAMOND.format("") + formula, "Si Si 0 0 0 1", lengths=(5.43,) * 3))


def test_a_multiplicity_that_the_symmetry_does_not_make_is_refused_where_no_formula_tells() -> None:
    sites = "Na1 Na 0 0 0 4\nCl1 Cl 0.5 0 0 ?"
    assert len(read_cif(cif_text(ROCK_SALT, sites, columns=MULTIPLICITY)).symbols) == 8
    with pytest.raises(StructureFault) as caught:
        read_cif(cif_text(sites=sites, columns=MULTIPLICITY))
    assert (caught.value.unread.reason, caught.value.unread.line) == ("a multiplicity contradicts the symmetry", 15)
    assert len(read_cif(cif_text("_chemical_formula_sum 'Na Cl'\n", sites, columns=MULTIPLICITY)).symbols) == 2


NEARLY_RIGHT = (
    "_symmetry_Int_Tables_number 6\nloop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'x, -y, z'\n'x, -y, -z'\n'x, y, -z'\n"
)


def test_operations_that_the_lattice_lacks_are_left_out_where_the_formula_tells() -> None:
    """As pymatgen writes a lattice whose angles are within 5° of right ones."""
    text = cif_text(NEARLY_RIGHT, "O1 O 0.1 0.2 0 1", lengths=(5, 6, 7), angles=(90, 92, 90))
    found = read_cif(text.replace("loop_", "_chemical_formula_sum O2\nloop_", 1))
    assert (len(found.symbols), found.notes) == (2, (NOT_OF_LATTICE,))
    for wrong in (text, text.replace("loop_", "_chemical_formula_sum oxygen\nloop_", 1)):
        with pytest.raises(StructureFault, match="lattice lacks"):
            read_cif(wrong)


def test_noble_gases_are_read_too() -> None:
    assert set(read_cif(cif_text(ROCK_SALT, "Xe1 Xe 0 0 0 1\nF1 F 0.5 0 0 1")).symbols) == {"F", "Xe"}
