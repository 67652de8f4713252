"""Families of any kind: a column of names, a number cut into bins, or several of these at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.settings.suggestions import did_you_mean, listed
from protocols.structures.reading import ReadStructure
from protocols.structures.symmetry import tolerances_in_words
from protocols.tables.account import Finding, Handling
from protocols.tables.cells import shown
from protocols.tables.columns import BinnedColumn, TableColumns
from protocols.tables.rows import TableRows
from protocols.tables.spelling import cleaned
from protocols.wire.limits import MAX_ID_LENGTH

BETWEEN_PARTS: Final = " / "
"""Stands between the names of several families at once."""

ALL: Final = "all"
"""The family of all candidates, where there are no others."""


@dataclass(frozen=True, slots=True)
class Families:
    """Families of rows.

    Attributes:
        names: Length n.
        findings: What a person should know of how they came about.
    """

    names: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def families_of(
    rows: TableRows,
    columns: TableColumns,
    structures: Mapping[int, ReadStructure],
    spellings: Collection[str],
) -> Families:
    """Return the family of every kept row: the product of the named kinds, where there are several.

    Args:
        rows: The kept rows; names of columns are in one spelling already.
        columns: What their columns mean.
        structures: By position in the file; only for families that are derived from them.
        spellings: What else `family_names` may name: texts of columns, as the table spells them.

    Raises:
        TableError: When a name is too long, or `family_names` names no family.
    """
    if not columns.family_parts():
        return Families((ALL,) * len(rows.kept))
    findings: list[Finding] = []
    parts: list[Sequence[str]] = []
    made: set[str] = set()
    for part in columns.family_parts():
        if isinstance(part, str) and part in rows.texts:
            parts.append(rows.texts[part])
            continue
        if isinstance(part, BinnedColumn):
            names = _cut(rows, part, findings)
        else:
            names = _derived(rows, columns, structures, findings)
        made |= set(names)
        parts.append([columns.family_names.get(name, name) for name in names])
    if columns.family_names:
        _require_known(columns, {*spellings, *map(cleaned, spellings), *made})
    families = tuple(parts[0] if len(parts) == 1 else map(BETWEEN_PARTS.join, zip(*parts, strict=True)))
    longest = max(set(families), key=lambda name: (len(name), name))
    if len(longest) > MAX_ID_LENGTH:
        raise TableError(
            f"The family {longest!r} in {rows.place(families.index(longest))} has {len(longest)} characters",
            expected=f"at most {MAX_ID_LENGTH}, as a message carries",
            action="combine fewer columns, or shorten their names",
        )
    return Families(families, tuple(findings))


def _require_known(columns: TableColumns, spellings: Collection[str]) -> None:
    """Check that every family that is renamed is there."""
    for name in columns.family_names:
        if name not in spellings:
            there = sorted(set(spellings) - {""})
            raise TableError(
                f"family_names maps {shown(name)}, and no row has this family",
                expected=f"families as the table spells them: {listed(there)}",
                action=did_you_mean(name, there) or "name a family of the table, or leave it out of family_names",
            )


def _derived(
    rows: TableRows, columns: TableColumns, structures: Mapping[int, ReadStructure], findings: list[Finding]
) -> list[str]:
    """Return the crystal systems of structures, and tell by which tolerances they are what they are."""
    how = tolerances_in_words(columns.symmetry_tolerance, columns.angle_tolerance)
    reason = f"column {columns.structure!r}: crystal systems were derived {how}"
    findings.append(Finding(Handling.CONVERTED, reason, (), len(rows.kept)))
    return [structures[row].crystal_system for row in rows.kept.tolist()]


def _cut(rows: TableRows, part: BinnedColumn, findings: list[Finding]) -> list[str]:
    """Return the names of a number that is cut, and tell when there are fewer families than asked for."""
    values = rows.numbers[part.column]
    names = part.name_families(values)
    wanted, made = part.bins or len(part.edges) + 1, len(set(names))
    if made < wanted and part.bins is not None:
        each, counts = np.unique(values, return_counts=True)
        most = int(np.argmax(counts))
        findings.append(
            Finding(
                Handling.NOTED,
                f"column {part.column!r}: bins = {wanted} make {made} families, because equal values stay together"
                f" ({each[most]:g} stands in {counts[most]} rows)",
                rows.kept[values == each[most]],
            )
        )
    elif made < wanted:
        findings.append(
            Finding(
                Handling.NOTED,
                f"column {part.column!r}: the edges make {wanted} families, of which {wanted - made} have no row",
                (),
                wanted - made,
            )
        )
    return names
