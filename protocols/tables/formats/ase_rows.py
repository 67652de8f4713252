"""Rows of a database of ASE as columns: what was calculated, what was noted beside, and the atoms as a structure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from protocols.tables.formats.frames import STRUCTURE

RESULTS: Final = ("energy", "free_energy", "magmom")
"""Single numbers that a calculator gives, of all atoms of the cell, in the units of ASE [eV, eV, µB]."""

WIDTH_BYTES: Final = 8
"""Length of the number at the start of ASE's binary form, which says where its JSON begins [byte]."""


def columns_of(
    told: Mapping[str, Any], keys: Mapping[str, Any], stored: Mapping[str, Any], structure: str
) -> dict[str, Any]:
    """Return the cells of one row by column.

    Args:
        told: What ASE has a place for, such as the energy; nothing where it is None.
        keys: Key-value pairs.
        stored: The `data` of the row, of which texts and numbers become columns.
        structure: The atoms as a text.

    Raises:
        ValueError: When two of these have one name.
    """
    cells = {name: value for name, value in told.items() if value is not None}
    plain = {name: value for name, value in stored.items() if isinstance(value, str | int | float | bool)}
    for part in (keys, plain, {STRUCTURE: structure}):
        if twice := cells.keys() & part.keys():
            raise ValueError(f"two columns would be called {min(twice)!r}")
        cells |= part
    return cells


def columns_of_ase_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of a row of a JSON database.

    Raises:
        ValueError: When it is no such row.
    """
    if not isinstance(row, dict) or "numbers" not in row:
        raise ValueError("a row without numbers is none of a database of ASE")
    told = {name: row.get(name) for name in ("unique_id", "calculator", *RESULTS)}
    cell = row.get("cell")
    structure = structure_text(
        _array(row["numbers"]),
        _array(row.get("positions")),
        _array(cell["array"] if isinstance(cell, dict) and "array" in cell else cell),
        _array(row.get("pbc", [False] * 3)),
    )
    return columns_of(told, _object(row.get("key_value_pairs")), _object(row.get("data")), structure)


def structure_text(
    numbers: Sequence[int], positions: Sequence[Any], cell: Sequence[Any] | None, periodic: Sequence[bool]
) -> str:
    """Return atoms as a frame of extended xyz, to the last digit.

    Args:
        numbers: Atomic numbers, n.
        positions: Cartesian [Å], shape (n, 3).
        cell: Lattice vectors as rows [Å], shape (3, 3), or None.
        periodic: Along which of them the atoms repeat, length 3.

    Raises:
        ValueError: When these do not fit together.
    """
    from ase.data import chemical_symbols

    if not all(0 <= number < len(chemical_symbols) for number in numbers):
        raise ValueError(f"atomic numbers from 0 to {len(chemical_symbols) - 1} are known, not {max(numbers)}")
    places = np.asarray(positions, dtype=float).reshape(-1, 3)
    vectors = np.zeros((3, 3)) if cell is None else np.asarray(cell, dtype=float).reshape(3, 3)
    lattice = " ".join(repr(float(value)) for value in vectors.ravel())
    repeats = " ".join("T" if each else "F" for each in periodic)
    lines = [str(len(numbers)), f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="{repeats}"']
    for number, place in zip(numbers, places, strict=True):
        lines.append(f"{chemical_symbols[number]} " + " ".join(repr(float(value)) for value in place))
    return "\n".join(lines) + "\n"


def stored_object(cell: str | bytes | None) -> dict[str, Any]:
    """Return the `data` of a row of SQLite: its JSON, without the arrays that stand in front of it."""
    if isinstance(cell, bytes):
        start = int.from_bytes(cell[:WIDTH_BYTES], "little")
        cell = cell[start:].decode()
    return _object(json.loads(cell or "{}"))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _array(value: Any) -> Any:
    """Return the list that stands for an array; ASE writes its shape, its type and its values in a row."""
    if isinstance(value, dict) and "__ndarray__" in value:
        shape, _, values = value["__ndarray__"]
        return np.asarray(values).reshape(shape).tolist()
    return value
