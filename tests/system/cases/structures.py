"""Structures as the text of a CIF."""

from __future__ import annotations

from collections.abc import Sequence

LOOP = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


def cif(
    name: str,
    lengths: Sequence[float],
    angles: Sequence[float],
    sites: str = "Cu Cu 0 0 0 1",
    *,
    group: str = "",
    formula: str = "",
) -> str:
    """A CIF of one block.

    Args:
        name: Of the block.
        lengths: Of the cell [Å].
        angles: Of the cell [degree].
        sites: A line a site: label, element, three coordinates, occupancy.
        group: Symbol of the space group; nothing for none.
        formula: The formula sum that it claims.
    """
    lines = [f"data_{name}"]
    lines += [f"_cell_length_{axis} {length:g}" for axis, length in zip("abc", lengths, strict=True)]
    lines += [f"_cell_angle_{axis} {angle:g}" for axis, angle in zip(("alpha", "beta", "gamma"), angles, strict=True)]
    lines += [f"_symmetry_space_group_name_H-M '{group}'"] * bool(group)
    lines += [f"_chemical_formula_sum '{formula}'"] * bool(formula)
    return "\n".join(lines) + "\n" + LOOP + sites + "\n"


def cubic_copper(a: float) -> str:
    """Face-centred cubic copper."""
    return cif("Cu", (a, a, a), (90, 90, 90), group="F m -3 m")


def disordered() -> str:
    """A site that copper and nickel share."""
    return cif("X", (4, 4, 4), (90, 90, 90), "Cu1 Cu 0 0 0 0.5\nNi1 Ni 0 0 0 0.5", group="F m -3 m")
