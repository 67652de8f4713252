"""The text of CIFs that tests change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from protocols.structures.faults import StructureFault
from protocols.structures.reading import UnreadStructure

COLUMNS = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
ROCK_SALT = "_symmetry_space_group_name_H-M 'F m -3 m'\n"
"""The group of rock salt, by its symbol."""

SALT_SITES = "Na1 Na 0 0 0 1\nCl1 Cl 0.5 0 0 1"


def cif_text(
    extra: str = "",
    sites: str = SALT_SITES,
    *,
    lengths: Sequence[object] = (5.64, 5.64, 5.64),
    angles: Sequence[object] = (90, 90, 90),
    columns: Sequence[str] = COLUMNS,
    name: str = "data_x",
) -> str:
    """A CIF of one block: its cell in lines 2 to 7, then what is added, then the loop of its sites."""
    lines = [name]
    lines += [f"_cell_length_{axis} {length}" for axis, length in zip("abc", lengths, strict=True)]
    lines += [f"_cell_angle_{axis} {angle}" for axis, angle in zip(("alpha", "beta", "gamma"), angles, strict=True)]
    loop = "".join(f"_atom_site_{column}\n" for column in columns)
    return "\n".join(lines) + f"\n{extra}loop_\n{loop}{sites}\n"


def fault_of(read: Callable[[str], object], text: str) -> UnreadStructure:
    """Why a CIF cannot be read."""
    with pytest.raises(StructureFault) as caught:
        read(text)
    return caught.value.unread
