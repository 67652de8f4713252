"""Ids of candidates: written as the protocol wants them, or made of what describes a material."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.molecules.identity import MoleculeIdentity
from protocols.tables.cells import shown
from protocols.tables.columns import TableColumns
from protocols.tables.molecules import molecules_of
from protocols.tables.rows import TableRows, feature_matrix
from protocols.wire.limits import MAX_ID_LENGTH, MAX_SOURCE_ID_LENGTH

HASH_DIGITS: Final = 12
"""Hexadecimal digits of an id's hash: of a million ids of which nothing else is left, two collide once in 560 tables,
and are then refused."""

_LAWFUL: Final = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{MAX_ID_LENGTH - 1}}}")
"""`protocols.wire.messages.ID_PATTERN`, of a whole text."""

_NOT_SENT: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, ends of lines, and halves of characters: what is not in `protocols.wire.messages.SourceId`."""


def candidate_ids_of(
    rows: TableRows, columns: TableColumns, molecules: Sequence[MoleculeIdentity] | None = None
) -> tuple[str, ...]:
    """Return an id per row, of the id column or else of the row's content.

    Args:
        rows: The kept rows.
        columns: What their columns mean.
        molecules: Those of the rows, where they were read already.

    Raises:
        TableError: When two rows have the same id, or one has an id that no message can carry; with their lines.
    """
    raw = None if columns.id is None else rows.texts[columns.id]
    if raw is not None:
        _require_sendable(rows, columns.id or "")
    ids = _content_ids(rows, columns, molecules) if raw is None else _normal_ids(raw)
    row_of: dict[str, int] = {}
    for row, candidate_id in enumerate(ids):
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
        same = raw[before] == raw[row]
        raise TableError(
            f"The id {shown(raw[row])} stands in {places}"
            if same
            else f"The ids {shown(raw[before])} and {shown(raw[row])} in {places} are both written {candidate_id!r}",
            expected="a row per candidate, with an id of its own",
            action="drop the repeated rows, or name another id column, or none"
            if same
            else "write one of them in another way, or name another id column, or none",
        )
    return tuple(ids)


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


def _require_sendable(rows: TableRows, name: str) -> None:
    """Check that every id can travel as it stands, for requests carry it."""
    for row, cell in enumerate(rows.texts[name]):
        strange = None if cell.isprintable() else _NOT_SENT.search(cell)
        if strange is None and len(cell) <= MAX_SOURCE_ID_LENGTH:
            continue
        what = f"{len(cell)} characters" if strange is None else f"with the control character U+{ord(strange[0]):04X}"
        raise TableError(
            f"Column {name!r} has {shown(cell)} in {rows.place(row)}, {what}",
            expected=f"ids of at most {MAX_SOURCE_ID_LENGTH} characters on one line, as a message carries",
            action="correct the id, or name another id column, or none",
        )


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
