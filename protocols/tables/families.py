"""Families of any kind: a column of names, a number cut into bins, or several of these at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from protocols.errors import TableError
from protocols.tables.columns import BinnedColumn, FamilyPart, TableColumns
from protocols.tables.rows import TableRows
from protocols.tables.structures import crystal_system_of
from protocols.wire.limits import MAX_ID_LENGTH
from protocols.wire.structure import CrystalStructure

BETWEEN_PARTS: Final = " / "
"""Stands between the names of several families at once."""

ALL: Final = "all"
"""The family of all candidates, where there are no others."""


def families_of(
    rows: TableRows, columns: TableColumns, structures: Sequence[CrystalStructure] | None
) -> tuple[str, ...]:
    """Return the family of every kept row: the product of the named kinds, where there are several.

    Raises:
        TableError: When a crystal system cannot be found, or a name is too long.
    """
    if not columns.family_parts():
        return (ALL,) * len(rows.kept)
    parts = [_part(rows, part, structures) for part in columns.family_parts()]
    families = tuple(BETWEEN_PARTS.join(names) for names in zip(*parts, strict=True))
    longest = max(families, key=len)
    if len(longest) > MAX_ID_LENGTH:
        raise TableError(
            f"The family {longest!r} has {len(longest)} characters",
            expected=f"at most {MAX_ID_LENGTH}, as a message carries",
            action="combine fewer columns, or shorten their names",
        )
    return families


def _part(rows: TableRows, part: FamilyPart, structures: Sequence[CrystalStructure] | None) -> Sequence[str]:
    if isinstance(part, BinnedColumn):
        return part.name_families(rows.numbers[part.column])
    if part in rows.texts:
        return rows.texts[part]
    return [crystal_system_of(structure, rows, row) for row, structure in enumerate(structures or ())]
