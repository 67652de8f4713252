"""Ids of candidates: written as the protocol wants them, or made of what describes a material."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from protocols.errors import TableError
from protocols.molecules.identity import MoleculeIdentity
from protocols.structures.reading import ReadStructure
from protocols.tables.cells import shown
from protocols.tables.columns import TableColumns
from protocols.tables.replicates import MEAN_SETTING
from protocols.tables.rows import TableRows, feature_matrix
from protocols.wire.limits import MAX_ID_LENGTH

TAIL_DIGITS: Final = 12
"""Hexadecimal digits of the hash that ends an id which was too long: 48 bits tell a million apart."""

CONTENT_DIGITS: Final = 16
"""Hexadecimal digits of content in an id: 64 bits."""

LONGEST_PREFIX: Final = 24
"""Most characters of a formula in an id."""

EMPTY: Final[Mapping[int, Any]] = MappingProxyType({})
"""Of rows, where none is needed."""


def candidate_ids_of(
    rows: TableRows,
    columns: TableColumns,
    molecules: Mapping[int, MoleculeIdentity] = EMPTY,
    structures: Mapping[int, ReadStructure] = EMPTY,
) -> tuple[str, ...]:
    """Return an id per row, of the id column or else of the row's content.

    Args:
        rows: The kept rows.
        columns: What their columns mean.
        molecules: By position in the file; of tables of molecules without a column of ids.
        structures: By position in the file; of tables of structures without a column of ids.

    Raises:
        TableError: When two rows have the same id, or one has none; with their lines.
    """
    raw = None if columns.id is None else rows.texts[columns.id]
    ids = content_ids(rows, columns, molecules, structures) if raw is None else _normal_ids(raw)
    if len(set(ids)) == len(ids) and all(ids):
        return tuple(ids)
    raise _refused(rows, columns, ids)


def _refused(rows: TableRows, columns: TableColumns, ids: Sequence[str]) -> TableError:
    """Return the error of the first id that is none or stands twice."""
    row_of: dict[str, int] = {}
    row = next(row for row, each in enumerate(ids) if not each or row_of.setdefault(each, row) != row)
    if not ids[row]:
        return TableError(
            f"The id {shown(rows.source_ids[row])} in {rows.place(row)} has neither letter nor digit",
            expected="ids of Latin letters, digits, _ and -",
            action="name another id column, or none",
        )
    before = row_of[ids[row]]
    places = f"{rows.place(before)} and {rows.place(row)}"
    if columns.id is None:
        return TableError(
            f"The same material stands in {places}: nothing that describes a candidate differs",
            expected="a row per candidate",
            action=f"drop the repeated rows, name an id column or a feature that tells them apart, or {MEAN_SETTING}",
        )
    one, other = rows.source_ids[before], rows.source_ids[row]
    merging = f", or {MEAN_SETTING}" if one == other else ""
    return TableError(
        f"The ids {shown(one)} and {shown(other)} in {places} are the same id {ids[row]!r}",
        expected="a row per candidate; capitals and signs other than _ and - do not tell ids apart",
        action=f"drop the repeated rows, or name another id column, or none{merging}",
    )


def _normal_ids(raw: Sequence[str]) -> list[str]:
    """Write ids as the protocol wants them; one that is too long keeps its beginning and gains a hash of the whole.

    One pass over all of them at once: a call for each of a million takes seconds.
    """
    joined = re.sub(r"[^a-z0-9_\n-]+", "-", "\n".join(raw).lower())
    ids = re.sub(r"^[-_]+", "", joined, flags=re.MULTILINE).split("\n")
    if max(map(len, ids)) <= MAX_ID_LENGTH:
        return ids
    return [
        text if len(text) <= MAX_ID_LENGTH else f"{text[: MAX_ID_LENGTH - 1 - TAIL_DIGITS]}-{_digest(raw[row])}"
        for row, text in enumerate(ids)
    ]


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()[:TAIL_DIGITS]


def content_ids(
    rows: TableRows,
    columns: TableColumns,
    molecules: Mapping[int, MoleculeIdentity],
    structures: Mapping[int, ReadStructure],
) -> list[str]:
    """Make ids of what describes a material; with 64 bits of hash, two million rows collide once in 10⁷ tables."""
    positions = rows.kept.tolist()
    if columns.smiles is not None:
        return [molecules[row].candidate_id for row in positions]
    if columns.structure is not None:
        read = [structures[row] for row in positions]
        return [_content_id(each.formula, each.content[:CONTENT_DIGITS]) for each in read]
    matrix = np.ascontiguousarray(feature_matrix(rows) + 0.0, dtype="<f8")  # + 0.0 turns -0.0 into 0.0
    texts = [_cells(rows, name) for name in (*columns.family_columns(), columns.composition) if name is not None]
    words = zip(*texts, strict=True)
    contents = ["\x1f".join(cells).encode() + b"\x1f" + row.tobytes() for cells, row in zip(words, matrix, strict=True)]
    formulas = rows.texts.get(columns.composition or "", [""] * len(contents))
    return [
        _content_id(formula, hashlib.sha256(content).hexdigest()[:CONTENT_DIGITS])
        for formula, content in zip(formulas, contents, strict=True)
    ]


def _content_id(formula: str, digest: str) -> str:
    return f"{re.sub('[^a-z0-9]', '', formula.lower())[:LONGEST_PREFIX] or 'row'}-{digest}"


def _cells(rows: TableRows, name: str) -> list[str]:
    """Return what a column says of each row; a number that families are cut from as text."""
    return rows.texts[name] if name in rows.texts else [repr(float(value)) for value in rows.numbers[name]]
