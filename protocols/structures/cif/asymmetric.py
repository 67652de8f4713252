"""The asymmetric unit of a CIF: its only block with atoms, the cell, and the sites as they are listed."""

from __future__ import annotations

import re
import warnings
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.cif.text import UNKNOWN, Block, blocks_of, number_of
from protocols.structures.faults import StructureFault
from protocols.structures.formats import CIF, name_of
from protocols.structures.sites import OXIDATION_STRIPPED, Sites, check_count, check_occupancy, element_of

WHAT: Final = name_of(CIF)
"""What faults call it."""

AXES: Final = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
"""Items with fractional coordinates."""

LENGTHS: Final = ("_cell_length_a", "_cell_length_b", "_cell_length_c")
"""Items with the edges of the cell [Å]."""

ANGLES: Final = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")
"""Items with its angles [degree]."""

STRAIGHT: Final = 180.0
"""What no angle of a cell reaches [degree]."""

MOMENTS_LEFT: Final = "magnetic moments are left out"
"""Note of a CIF that states them beside an ordinary group."""

VOLUME_TOLERANCE: Final = 0.01
"""How far a stated volume may be from that of the stated edges and angles, relatively."""


def block_with_atoms(text: str) -> Block:
    """Return the only data block with atoms; others, as a header, are none.

    Raises:
        StructureFault: When there are several, or none.
    """
    blocks = blocks_of(text)
    with_atoms = [block for block in blocks if any(name.startswith("_atom_site_") for name in block.lines)]
    if len(with_atoms) > 1:
        raise StructureFault(
            "several structures in one cell",
            f"a CIF with {len(with_atoms)} data blocks that have atoms, the second {with_atoms[1].name[:30]!r}",
            "one structure in a cell",
            with_atoms[1].line,
        )
    if not with_atoms:
        raise StructureFault("has no atoms", "a CIF without atoms", "a loop of _atom_site_ items", 0)
    block = with_atoms[0]
    for name in AXES:
        if not block.items.get(name):
            raise StructureFault(
                "atoms have no fractional coordinates",
                f"a CIF without the item {name}",
                f"a loop with {', '.join(AXES)}",
                block.line,
            )
    return block


def cell_of(block: Block) -> NDArray[np.float64]:
    """Return the lattice vectors as rows, as pymatgen turns them, shape (3, 3) [Å].

    Raises:
        StructureFault: When edges or angles lack, or contradict each other or the volume.
    """
    from pymatgen.core import Lattice

    numbers = []
    for name in (*LENGTHS, *ANGLES):
        value = block.first(name)
        if value is None:
            raise StructureFault("the cell is not stated", f"a CIF without a value of {name}", f"{name}", block.line)
        number = number_of(value, name)
        if number <= 0.0 or (name in ANGLES and number >= STRAIGHT):
            raise _no_cell(f"{name} of {number:g}", value.line)
        numbers.append(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of angles that span nothing; they are refused below
        cell = np.array(Lattice.from_parameters(*numbers).matrix, dtype=np.float64)
    volume = abs(float(np.linalg.det(cell)))
    cosines = np.cos(np.radians(numbers[3:]))
    spanned = 1.0 - float(cosines @ cosines) + 2.0 * float(np.prod(cosines))  # (V / abc)²
    if not np.isfinite(cell).all() or spanned <= 0.0:
        raise _no_cell("angles that span no cell", block.lines[ANGLES[0]])
    stated = block.first("_cell_volume")
    if stated is not None and abs(number_of(stated, "_cell_volume") - volume) > VOLUME_TOLERANCE * volume:
        raise StructureFault(
            "the cell contradicts its volume",
            f"a CIF whose cell has {volume:.2f} Å³, though its volume is {stated.text!r}",
            "the volume of its edges and angles",
            stated.line,
        )
    return cell


def _no_cell(what: str, line: int) -> StructureFault:
    return StructureFault(
        "the cell is none",
        f"a CIF with {what}",
        "edges above 0 Å, and angles between 0° and 180° that fit together",
        line,
    )


def asymmetric_unit(block: Block, cell: NDArray[np.float64]) -> Sites:
    """Return the sites as they are listed.

    Raises:
        StructureFault: When one is no element, has no place, or is not wholly occupied.
    """
    symbols, charged = _elements(block)
    charged = charged or "_atom_type_oxidation_number" in block.lines
    columns = [block.items[name] for name in AXES]
    if len({len(symbols), *(len(column) for column in columns)}) > 1:
        raise StructureFault(
            "atoms and coordinates differ in number", "a CIF whose atoms stand in several loops", "one loop", block.line
        )
    for value in block.items.get("_atom_site_occupancy", ()):
        if value.text not in UNKNOWN:
            check_occupancy(number_of(value, "_atom_site_occupancy"), WHAT, value.line)
    for value in block.items.get("_atom_site_attached_hydrogens", ()):
        if value.text not in UNKNOWN and number_of(value, "_atom_site_attached_hydrogens") != 0.0:
            raise StructureFault(
                "hydrogens have no site", "a CIF with hydrogens that have no site", "all atoms as sites", value.line
            )
    positions = np.array([[number_of(v, n) for v in c] for n, c in zip(AXES, columns, strict=True)]).T
    check_count(symbols, positions, WHAT)
    has_moments = any(name.startswith("_atom_site_moment") for name in block.lines)
    notes = (OXIDATION_STRIPPED,) * charged + (MOMENTS_LEFT,) * has_moments
    return Sites(tuple(symbols), cell, positions, notes, tuple(value.line for value in columns[0]))


def _elements(block: Block) -> tuple[list[str], bool]:
    """Return the element of each site, and whether any states its oxidation state.

    The symbol counts; where there is none, the letters at the beginning of the label.
    """
    labels = block.items.get("_atom_site_label", [])
    values = block.items.get("_atom_site_type_symbol", labels)
    if not values:
        raise StructureFault(
            "an atom is no element",
            "a CIF without _atom_site_type_symbol and _atom_site_label",
            "one of them",
            block.line,
        )
    symbols, charged = [], False
    for site, value in enumerate(values):
        if (value.text in UNKNOWN and site < len(labels)) or values is labels:
            start = re.match(r"[A-Za-z]*", labels[site].text)
            symbol, has_charge = element_of(start[0] if start and start[0] else labels[site].text, WHAT, value.line)
        else:
            symbol, has_charge = element_of(value.text, WHAT, value.line)
        symbols.append(symbol)
        charged = charged or has_charge
    return symbols, charged
