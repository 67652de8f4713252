"""Ids of candidates: written as the protocol wants them, or made of what describes a material."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.molecules.identity import MoleculeIdentity
from protocols.structures.reading import ReadStructure
from protocols.tables.cells import shown
from protocols.tables.columns import TableColumns
from protocols.tables.replicates import MEAN_SETTING
from protocols.tables.rows import TableRows, feature_matrix
from protocols.wire.limits import MAX_ID_LENGTH
from protocols.wire.messages import ID_PATTERN

HASH_DIGITS: Final = 12
"""Hexadecimal digits of an id's hash: of a million ids of which nothing else is left, two collide once in 560 tables,
and are then refused."""

_LAWFUL: Final = re.compile(ID_PATTERN)
"""What an id must be that is used as it stands."""

CONTENT_DIGITS: Final = 16
"""Hexadecimal digits of content in an id: 64 bits."""

LONGEST_PREFIX: Final = 24
"""Most characters of a formula in an id."""


def candidate_ids_of(
    rows: TableRows,
    columns: TableColumns,
    molecules: Mapping[int, MoleculeIdentity],
    structures: Mapping[int, ReadStructure],
) -> tuple[str, ...]:
    """Return an id per row, of the id column or else of the row's content.

    Args:
        rows: The kept rows.
        columns: What their columns mean.
        molecules: By position in the file; of tables of molecules without a column of ids.
        structures: By position in the file; of tables of structures without a column of ids.

    Raises:
        TableError: When two rows have the same id, with their lines.
    """
    raw = None if columns.id is None else rows.texts[columns.id]
    ids = content_ids(rows, columns, molecules, structures) if raw is None else _normal_ids(raw)
    if len(set(ids)) == len(ids):
        return tuple(ids)
    raise _twice(rows, columns, ids)


def _twice(rows: TableRows, columns: TableColumns, ids: Sequence[str]) -> TableError:
    """Return the error of the first id that stands twice."""
    row_of: dict[str, int] = {}
    row = next(row for row, each in enumerate(ids) if row_of.setdefault(each, row) != row)
    before = row_of[ids[row]]
    places = f"{rows.place(before)} and {rows.place(row)}"
    if columns.id is None:
        return TableError(
            f"The same material stands in {places}: nothing that describes a candidate differs",
            expected="a row per candidate",
            action=f"drop the repeated rows, name an id column or a feature that tells them apart, or {MEAN_SETTING}",
        )
    one, other = rows.source_ids[before], rows.source_ids[row]
    if one == other:
        return TableError(
            f"The id {shown(one)} stands in {places}",
            expected="a row per candidate, with an id of its own",
            action=f"drop the repeated rows, or name another id column, or none, or {MEAN_SETTING}",
        )
    return TableError(
        f"The ids {shown(one)} and {shown(other)} in {places} are both written {ids[row]!r}",
        expected="a row per candidate, with an id of its own",
        action="write one of them in another way, or name another id column, or none",
    )


def _normal_ids(raws: Sequence[str]) -> list[str]:
    """Write ids as the protocol wants them, so that no two of a table become one in silence.

    | as the table writes it | ours |
    |---|---|
    | lawful (`ID_PATTERN`) | the same |
    | lawful but for capitals | in lower case, unless the table has another id that differs from it by capitals alone |
    | anything else | what is lawful of it, with a hash of the whole |

    So what an id becomes depends on the other rows in one case only, and never for one that is lawful.
    """
    if all(map(_LAWFUL.fullmatch, raws)):  # the usual case, of a million rows as well
        return list(raws)
    spellings = Counter(raw.lower() for raw in set(raws) if raw.isascii())
    return [
        raw if _LAWFUL.fullmatch(raw)
        else raw.lower() if raw.isascii() and _LAWFUL.fullmatch(raw.lower()) and spellings[raw.lower()] == 1
        else _rewritten(raw)
        for raw in raws
    ]  # fmt: skip


def _rewritten(raw: str) -> str:
    """Return what is lawful of an id, with a hash of the whole: two that differ in anything at all stay two."""
    tail = hashlib.sha256(raw.encode()).hexdigest()[:HASH_DIGITS]
    text = re.sub(r"[^a-z0-9_-]+", "-", raw.lower()).strip("-_")[: MAX_ID_LENGTH - len(tail) - 1]
    return f"{text}-{tail}" if text else tail


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
    described = (*columns.family_columns(), columns.composition)
    further = (*columns.labels, *(name for name in columns.parameters if name not in rows.features))
    texts = [_cells(rows, name) for name in (*described, *further) if name is not None]
    words = zip(*texts, strict=True) if texts else itertools.repeat((), len(matrix))
    formulas = rows.texts.get(columns.composition or "", [""] * len(matrix))
    return [
        content_id_of(formula, cells, row.tobytes())
        for formula, cells, row in zip(formulas, words, matrix, strict=True)
    ]


def content_id_of(formula: str, cells: Sequence[str], features: bytes) -> str:
    """Return the id of a row without a structure.

    Args:
        formula: Its formula, or nothing.
        cells: What its columns of texts say.
        features: Its features, little-endian doubles without negative zeros.
    """
    content = "\x1f".join(cells).encode() + b"\x1f" + features
    return _content_id(formula, hashlib.sha256(content).hexdigest()[:CONTENT_DIGITS])


def _content_id(formula: str, digest: str) -> str:
    return f"{re.sub('[^a-z0-9]', '', formula.lower())[:LONGEST_PREFIX] or 'row'}-{digest}"


def _cells(rows: TableRows, name: str) -> list[str]:
    """Return what a column says of each row; a number that families are cut from as text."""
    return rows.texts[name] if name in rows.texts else [repr(float(value)) for value in rows.numbers[name]]
