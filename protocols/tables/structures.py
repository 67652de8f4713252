"""Structures in a table: the text of a CIF, or a JSON of `protocols.wire.structure.CrystalStructure`."""

from __future__ import annotations

import functools
import warnings
from typing import Any, Final

from pydantic import ValidationError

from protocols.errors import TableError
from protocols.tables.columns import TableColumns
from protocols.tables.files import MAX_SAID
from protocols.tables.rows import TableRows
from protocols.wire.structure import CrystalStructure

SYMMETRY_TOLERANCE: Final = 0.01
"""Distance within which atoms count as symmetric [Å]: spglib's usual choice for relaxed structures."""

SYMMETRY_TAGS: Final = ("_symmetry", "_space_group")
"""How the items of a CIF begin that name its group or its operations."""

MAX_GROUPS_KEPT: Final = 256
"""Groups whose operations are kept: more than there are (230), each at most some hundred kilobytes."""


def structures_of(rows: TableRows, columns: TableColumns) -> tuple[CrystalStructure, ...] | None:
    """Return the structures, or None where no column has any.

    Raises:
        TableError: With the line of the first that cannot be parsed.
    """
    if columns.structure is None:
        return None
    return tuple(_structure(text, rows, row) for row, text in enumerate(rows.texts[columns.structure]))


def _structure(text: str, rows: TableRows, row: int) -> CrystalStructure:
    try:
        return _parsed(text)
    except Exception as error:  # pymatgen fails in as many ways as CIF files do
        said = " ".join(str(error).split())[:MAX_SAID] or type(error).__name__
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            said = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
        raise TableError(
            f"The structure in {rows.place(row)} cannot be used ({said})",
            expected="the text of a CIF of an ordered crystal, or a JSON with cell, symbols and scaled_positions",
            action="fix or drop the row",
        ) from error


def _parsed(text: str) -> CrystalStructure:
    """Parse one structure; only text is read, never a path."""
    if text.startswith("{"):
        return CrystalStructure.model_validate_json(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen's notes on notation; what matters raises
        (structure, *_) = _parser().from_str(text).parse_structures(primitive=False)
    if not structure.is_ordered:
        raise ValueError("sites are partially occupied")
    return CrystalStructure.from_pymatgen(structure)


@functools.cache
def _parser() -> Any:
    """Return pymatgen's reader of CIFs, which here works the operations of a group out once for all rows.

    pymatgen forgets a group with the structure that had it, and needs half a second for Fm-3m.
    """
    from pymatgen.io.cif import CifParser

    known: dict[tuple[tuple[str, str], ...], tuple[list[Any], list[str]]] = {}

    class Parser(CifParser):  # type: ignore[misc]
        """The reader; its `warnings` hold what they would hold without a memory."""

        def get_symops(self, data: Any) -> list[Any]:
            group = tuple((name, str(value)) for name, value in data.data.items() if name.startswith(SYMMETRY_TAGS))
            if group in known:
                operations, notes = known[group]
                self.warnings += notes
                return list(operations)
            noted = len(self.warnings)
            operations = super().get_symops(data)
            if len(known) < MAX_GROUPS_KEPT:
                known[group] = (list(operations), self.warnings[noted:])
            return list(operations)

    return Parser


def crystal_system_of(structure: CrystalStructure, rows: TableRows, row: int) -> str:
    """Return the crystal system that spglib finds (`SYMMETRY_TOLERANCE`); `row` is only for the error.

    Raises:
        TableError: When it finds none.
    """
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # spglib announces changes of its interface
            return str(SpacegroupAnalyzer(structure.to_pymatgen(), SYMMETRY_TOLERANCE).get_crystal_system())
    except Exception as error:  # spglib's errors have changed their types
        raise TableError(
            f"The crystal system of the structure in {rows.place(row)} cannot be found ({type(error).__name__})",
            action="fix or drop the row, or name a family column",
        ) from error
