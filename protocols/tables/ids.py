"""Ids of candidates: written as the protocol wants them, or made of what describes a material."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from protocols.errors import TableError
from protocols.molecules.identity import MoleculeIdentity
from protocols.tables.cells import shown
from protocols.tables.columns import TableColumns
from protocols.tables.molecules import molecules_of
from protocols.tables.rows import TableRows, feature_matrix
from protocols.wire.limits import MAX_ID_LENGTH


def candidate_ids_of(
    rows: TableRows, columns: TableColumns, molecules: Sequence[MoleculeIdentity] | None = None
) -> tuple[str, ...]:
    """Return an id per row, of the id column or else of the row's content.

    Args:
        rows: The kept rows.
        columns: What their columns mean.
        molecules: Those of the rows, where they were read already.

    Raises:
        TableError: When two rows have the same id, or one has none; with their lines.
    """
    raw = None if columns.id is None else rows.texts[columns.id]
    ids = _content_ids(rows, columns, molecules) if raw is None else [_normal_id(cell) for cell in raw]
    row_of: dict[str, int] = {}
    for row, candidate_id in enumerate(ids):
        if not candidate_id:
            raise TableError(f"The id {shown((raw or ids)[row])} in {rows.place(row)} has neither message nor digit")
        before = row_of.setdefault(candidate_id, row)
        if before == row:
            continue
        places = f"{rows.place(before)} and {rows.place(row)}"
        if raw is None:
            raise TableError(
                f"The same material stands in {places}: nothing that describes a candidate differs",
                expected="a row per candidate",
                action="drop the repeated rows, or name an id column, or a feature column that tells them apart",
            )
        raise TableError(
            f"The ids {shown(raw[before])} and {shown(raw[row])} in {places} are the same id {candidate_id!r}",
            expected="a row per candidate; capitals and signs other than _ and - do not tell ids apart",
            action="drop the repeated rows, or name another id column, or none",
        )
    return tuple(ids)


def _normal_id(raw: str) -> str:
    """Write an id as the protocol wants it; one that is too long keeps its beginning and gains a hash of the whole."""
    text = re.sub(r"[^a-z0-9_-]+", "-", raw.lower()).lstrip("-_")
    if len(text) <= MAX_ID_LENGTH:
        return text
    tail = hashlib.sha256(raw.encode()).hexdigest()[:12]
    return f"{text[: MAX_ID_LENGTH - len(tail) - 1]}-{tail}"


def _content_ids(
    rows: TableRows, columns: TableColumns, molecules: Sequence[MoleculeIdentity] | None = None
) -> list[str]:
    """Make ids of what describes a material; with 64 bits of hash, two million rows collide once in 10⁷ tables."""
    if columns.smiles is not None:
        return [molecule.candidate_id for molecule in molecules or molecules_of(rows, columns) or ()]
    if columns.structure is not None:
        contents = [cell.encode() for cell in rows.texts[columns.structure]]
    else:
        matrix = np.ascontiguousarray(feature_matrix(rows) + 0.0, dtype="<f8")  # + 0.0 turns -0.0 into 0.0
        texts = [_cells(rows, name) for name in (*columns.family_columns(), columns.composition) if name is not None]
        words = zip(*texts, strict=True)
        contents = [
            "\x1f".join(cells).encode() + b"\x1f" + row.tobytes() for cells, row in zip(words, matrix, strict=True)
        ]
    formulas = rows.texts.get(columns.composition or "", ["row"] * len(contents))
    return [
        f"{re.sub('[^a-z0-9]', '', formula.lower())[:24] or 'row'}-{hashlib.sha256(content).hexdigest()[:16]}"
        for formula, content in zip(formulas, contents, strict=True)
    ]


def _cells(rows: TableRows, name: str) -> list[str]:
    """Return what a column says of each row; a number that families are cut from as text."""
    return rows.texts[name] if name in rows.texts else [repr(float(value)) for value in rows.numbers[name]]
