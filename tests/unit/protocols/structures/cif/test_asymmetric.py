"""The asymmetric unit of a CIF: one block, a cell, and sites that each are an element at a place."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.structures.cif.asymmetric import MOMENTS_LEFT, asymmetric_unit, block_with_atoms, cell_of
from protocols.structures.sites import OXIDATION_STRIPPED, Sites
from tests.support.samples.cif_texts import COLUMNS, cif_text, fault_of


def unit(text: str) -> Sites:
    """Return the sites of a CIF."""
    block = block_with_atoms(text)
    return asymmetric_unit(block, cell_of(block))


def test_sites_are_read_as_they_are_listed_with_their_lines() -> None:
    found = unit(cif_text(sites="Na1 Na -0.25 0 1.5 .\nCl1 Cl 0.5(1) 0 0 ?"))
    assert found.symbols == ("Na", "Cl")
    assert found.positions.tolist() == [[-0.25, 0, 1.5], [0.5, 0, 0]]
    assert found.lines == (15, 16)
    assert np.allclose(found.cell, np.eye(3) * 5.64)


def test_a_header_without_atoms_is_no_structure() -> None:
    assert unit("data_global\n_journal_name 'of salts'\n" + cif_text()).symbols == ("Na", "Cl")


@pytest.mark.parametrize(
    ("sites", "columns", "symbols"),
    [
        ("Na1 0 0 0\nCl1A 0.5 0 0", ("label", "fract_x", "fract_y", "fract_z"), ("Na", "Cl")),
        ("Na 0 0 0\nCl 0.5 0 0", ("type_symbol", "fract_x", "fract_y", "fract_z"), ("Na", "Cl")),
        ("Na1 ? 0 0 0\nB2 Cl 0.5 0 0", ("label", "type_symbol", "fract_x", "fract_y", "fract_z"), ("Na", "Cl")),
    ],
)
def test_the_symbol_of_a_site_counts_and_else_its_label(
    sites: str, columns: tuple[str, ...], symbols: tuple[str, ...]
) -> None:
    assert unit(cif_text(sites=sites, columns=columns)).symbols == symbols


def test_oxidation_states_and_moments_are_left_out_with_a_note() -> None:
    assert unit(cif_text(sites="Na1 Na1+ 0 0 0 1\nCl1 Cl1- 0.5 0 0 1")).notes == (OXIDATION_STRIPPED,)
    assert unit(cif_text("_atom_type_oxidation_number 1\n")).notes == (OXIDATION_STRIPPED,)
    assert unit(cif_text("_atom_site_moment_label Na1\n")).notes == (MOMENTS_LEFT,)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (cif_text() + cif_text(name="data_y"), "several structures in one cell", 17),
        ("data_x\n_a 1\n", "has no atoms", 0),
        (
            cif_text(columns=("label", "type_symbol", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy")),
            "atoms have no fractional coordinates",
            1,
        ),
        (cif_text(sites="X1 X 0 0 0 1"), "an atom is no element", 15),
        (cif_text(sites="Na1 NA 0 0 0 1"), "an atom is no element", 15),
        (cif_text(sites="OH1 0 0 0", columns=("label", "fract_x", "fract_y", "fract_z")), "an atom is no element", 13),
        (cif_text(sites="1Na 0 0 0", columns=("label", "fract_x", "fract_y", "fract_z")), "an atom is no element", 13),
        (cif_text(sites="0 0 0", columns=("fract_x", "fract_y", "fract_z")), "an atom is no element", 1),
        (cif_text(sites="D1 D 0 0 0 1"), "holds heavy hydrogen", 15),
        (cif_text(sites="Na1 Na ? ? ? 1"), "coordinates or cell are no numbers", 15),
        (cif_text(sites="Na1 Na 0 0 0 0.5"), "sites are partially occupied", 15),
        (cif_text(sites="Na1 Na 0 0 0 0"), "sites are partially occupied", 15),
        (cif_text(sites="O1 O 0 0 0 2", columns=(*COLUMNS[:5], "attached_hydrogens")), "hydrogens have no site", 15),
        (
            cif_text(
                "_atom_site_type_symbol Na\n",
                columns=("label", "fract_x", "fract_y", "fract_z"),
                sites="Na1 0 0 0\nNa2 0 0 0.5",
            ),
            "atoms and coordinates differ in number",
            1,
        ),
    ],
)
def test_sites_that_are_no_crystal_are_refused_with_their_line(text: str, reason: str, line: int) -> None:
    found = fault_of(unit, text)
    assert (found.reason, found.line) == (reason, line)


def test_hydrogens_that_are_said_to_be_none_are_fine() -> None:
    columns = (*COLUMNS[:5], "attached_hydrogens")
    assert unit(cif_text(sites="O1 O 0 0 0 0\nO2 O 0.5 0 0 ?", columns=columns)).symbols == ("O", "O")


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (cif_text(lengths=("?", 5, 5)), "the cell is not stated", 1),
        (cif_text(lengths=("x", 5, 5)), "coordinates or cell are no numbers", 2),
        (cif_text(lengths=(-5, 5, 5)), "the cell is none", 2),
        (cif_text(angles=(90, 180, 90)), "the cell is none", 6),
        (cif_text(angles=(10, 150, 100)), "the cell is none", 5),
        (cif_text("_cell_volume 100.0\n"), "the cell contradicts its volume", 8),
    ],
)
def test_a_cell_that_is_none_is_refused_with_its_line(text: str, reason: str, line: int) -> None:
    found = fault_of(unit, text)
    assert (found.reason, found.line) == (reason, line)


def test_uncertainties_of_cell_and_volume_are_read_over() -> None:
    text = cif_text("_cell_volume 179.4(3)\n", lengths=("5.640(1)", "5.64", "5.64"))
    assert np.allclose(unit(text).cell, np.eye(3) * 5.64)
