"""Makes the arrays of a table that is read in blocks, once; the next time they are found, checked and mapped.

| pass | what is read | what is kept in memory |
|---|---|---|
| 1 | ids, families, measured properties, and features of some rows | all but the features: some 50 bytes a row |
| 2 | features, for ids made of content, where there is no id column | the ids |
| 3 | features; each row goes to its place in the order of ids | a block |

The values are those of the file, whatever their precision, so a campaign decides as it would with all in memory.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.tables.blocks.cells import (
    Names,
    ids_in,
    numbers_of,
    precision_of,
    require_number,
)
from protocols.tables.blocks.kept_folders import kept_tables, made, used
from protocols.tables.blocks.limits import IN_BLOCKS_FROM_ROWS, MAX_MAPPED_ROWS, SAMPLE_ROWS
from protocols.tables.blocks.mapped_array import give_back
from protocols.tables.blocks.mapped_table import (
    CODES,
    FEATURES,
    IDS,
    LAYOUT,
    MEASURED,
    Described,
    MappedTable,
    ProgressCall,
    digest_of,
)
from protocols.tables.blocks.source import BlockSource, can_be_read_in_blocks
from protocols.tables.cells import FloatArray, shown
from protocols.tables.columns import TableColumns, feature_columns, require_column
from protocols.tables.families import ALL, BETWEEN_PARTS
from protocols.tables.ids import content_id_of
from protocols.tables.leaks import find_leaks
from protocols.tables.spelling import folded
from protocols.wire.limits import MAX_ABS_VALUE, MAX_FAMILIES, MAX_ID_LENGTH

BELIEVED: Final = (-MAX_ABS_VALUE, MAX_ABS_VALUE)
"""What is believed of a feature, whose square must be a number."""

Words = tuple[str, ...]
"""What each kind of family says, where a family is made of several."""

_CHECKED: Final[set[tuple[str, float]]] = set()
"""Folders whose files this process has read through, with the time of their making."""


def is_read_in_blocks(path: str | Path, columns: TableColumns) -> bool:
    """Whether a table is read in blocks: as the columns say, or else where it has too many rows to be read whole.

    Raises:
        TableError: When it is torn, or pyarrow is not installed; or when it is to be read in blocks and cannot.
    """
    path = Path(path)
    if not can_be_read_in_blocks(path):
        if columns.in_blocks:
            raise TableError(
                f"{path} cannot be read in blocks",
                expected="a Parquet or Arrow file (.parquet, .feather, .arrow)",
                action="write the table as Parquet, or leave out in_blocks",
            )
        return False
    if columns.in_blocks is None and path.is_file():
        return BlockSource(path).rows >= IN_BLOCKS_FROM_ROWS
    return bool(columns.in_blocks)


def read_in_blocks(path: str | Path, columns: TableColumns, progress: ProgressCall = lambda *_: None) -> MappedTable:
    """Return the arrays of a table, mapped; made now, unless they are kept.

    Args:
        path: A Parquet or Arrow file.
        columns: What its columns mean: ids, families, measured properties and features.
        progress: For a progress bar.

    Raises:
        TableError: With the first row or column that cannot be used, or when there is no room for the arrays.
    """
    path = Path(path)
    reader = _Reader(BlockSource(path), columns, progress)
    key = reader.key()
    place = kept_tables() / key
    if (said := _sound(place, progress)) is None:
        said = reader.make(key)
    used(place)
    return MappedTable(place, said)


def _sound(place: Path, progress: ProgressCall) -> Described | None:
    """Return what a folder says, if all of its files are what was written."""
    said = Described.read(place)
    if said is None:
        return None
    with contextlib.suppress(OSError):
        made_at = max((place / name).stat().st_mtime for name in said.arrays)
        if (str(place), made_at) in _CHECKED:
            return said
        for done, name in enumerate(said.arrays):
            progress("checking what is kept of the table", done, len(said.arrays))
            if digest_of(place / name) != said.digests.get(name):
                return None
        progress("checking what is kept of the table", len(said.arrays), len(said.arrays))
        _CHECKED.add((str(place), made_at))
        return said
    return None


@functools.lru_cache(maxsize=16)
def _content_of(path: Path, _size: int, _changed_ns: int) -> str:
    """Return the digest of a file; read once by a process, unless it changes."""
    return digest_of(path)


class _Reader:
    """Reads one file."""

    def __init__(self, source: BlockSource, columns: TableColumns, progress: ProgressCall) -> None:
        self._source, self._columns, self._progress = source, columns, progress
        _require_plain(source, columns)
        self._features = feature_columns(source.path, columns, source.names)
        there = filter(self._is_there, columns.measured())
        self._measured = tuple(require_column(source.path, name, source.names) for name in there)
        for name in (*self._features, *self._measured):
            require_number(source, name)
        self._parts = tuple(require_column(source.path, name, source.names) for name in columns.family_columns())
        if columns.id is not None:
            require_column(source.path, columns.id, source.names)

    def key(self) -> str:
        """Return the name of what is made: a digest of the file's content, and of what its columns mean."""
        stat = self._source.path.stat()
        content = _content_of(self._source.path.resolve(), stat.st_size, stat.st_mtime_ns)
        columns = self._columns
        meant = {
            "layout": LAYOUT, "id": columns.id, "family": self._parts, "names": columns.family_names,
            "features": self._features, "measured": columns.measured(), "missing": columns.missing,
            "on_missing": columns.on_missing, "valid_range": columns.valid_range,
        }  # fmt: skip
        return hashlib.sha256(json.dumps([content, meant], sort_keys=True).encode()).hexdigest()[:32]

    def make(self, key: str) -> Described:
        """Make the arrays in a folder of this name."""
        codes, families, ids, measured = self._read_all_but_features()
        if ids is None:
            ids = self._ids_of_content(codes, families)
        order = np.argsort(ids, kind="stable")
        self._require_distinct(ids, order)
        said = Described(
            rows=len(ids),
            width=ids.dtype.itemsize,
            precision=precision_of(self._source, self._features),
            feature_names=self._features,
            families=tuple(map(BETWEEN_PARTS.join, families)),
            measured=self._columns.measured(),
            warnings=tuple(self._warnings(measured)),
        )
        with made(key, said.size_bytes) as folder:
            _write(folder / IDS, ids[order])
            del ids
            _write(folder / CODES, codes[order])
            for place, values in enumerate(measured):
                _write(folder / f"{MEASURED}-{place}", values[order])
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            del order
            self._write_features(folder / FEATURES, said, rank, measured)
            self._progress("checking what was written", 0, 1)
            said = replace(said, digests={name: digest_of(folder / name) for name in said.arrays})
            said.write(folder)
            made_at = max((folder / name).stat().st_mtime for name in said.arrays)
        _CHECKED.add((str(kept_tables() / key), made_at))
        return said

    def _is_there(self, name: str) -> bool:
        """Whether a measured column must be there: one that is unknown of all may be missing, as a lab measures it."""
        return name in self._source.names or not self._columns.keeps_unmeasured()

    def _blocks(self, what: str, names: Sequence[str]) -> Iterator[tuple[int, Any]]:
        rows = self._source.rows
        for row, batch in self._source.blocks(names):
            self._progress(what, row, rows)
            yield row, batch
        self._progress(what, rows, rows)

    def _read_all_but_features(
        self,
    ) -> tuple[NDArray[np.int64], list[Words], NDArray[np.bytes_] | None, list[FloatArray]]:
        """Return family codes, families, ids as they stand (None without a column), and measured properties."""
        source, columns, n = self._source, self._columns, self._source.rows
        names = [Names(source, part, columns) for part in self._parts]
        raw = np.zeros((len(names), n), dtype=np.int32)
        measured = [np.full(n, np.nan) for _ in columns.measured()]
        ids = _Ids(n)
        wanted = dict.fromkeys((*self._parts, *self._measured, *([columns.id] if columns.id else [])))
        for row, batch in self._blocks(f"reading {source.path.name}", tuple(wanted) or self._features[:1]):
            at = slice(row, row + batch.num_rows)
            for codes, each in zip(raw, names, strict=True):
                codes[at] = each.codes_of(batch, row)
            if columns.id is not None:
                ids.add(ids_in(source, batch, columns.id, row))
            for values, name in zip(measured, columns.measured(), strict=True):
                if name in self._measured:
                    unknown = name != columns.property or columns.keeps_unmeasured()
                    believed = columns.believed_range(name)
                    values[at] = numbers_of(source, batch, name, row, believed, may_be_unknown=unknown)
        of_rows, families = _families(names, raw, columns)
        return of_rows, families, ids.all if columns.id is not None else None, measured

    def _matrix(self, batch: Any, row: int) -> FloatArray:
        """Return the features of a batch, shape (b, d)."""
        matrix = np.empty((batch.num_rows, len(self._features)))
        for place, name in enumerate(self._features):
            matrix[:, place] = numbers_of(self._source, batch, name, row, BELIEVED)
        return matrix

    def _ids_of_content(self, codes: NDArray[np.int64], families: Sequence[Words]) -> NDArray[np.bytes_]:
        ids = _Ids(len(codes))
        cells = families if self._parts else [()]
        for row, batch in self._blocks("making ids of features", self._features):
            matrix = np.ascontiguousarray(self._matrix(batch, row) + 0.0, dtype="<f8")  # + 0.0 turns -0.0 into 0.0
            of_rows = codes[row : row + len(matrix)].tolist()
            ids.add(
                [
                    content_id_of("", cells[code], each.tobytes()).encode()
                    for code, each in zip(of_rows, matrix, strict=True)
                ]
            )
        return ids.all

    def _write_features(
        self, path: Path, said: Described, rank: NDArray[np.int64], measured: Sequence[FloatArray]
    ) -> None:
        kind, shape = said.arrays[FEATURES]
        array = _room(path, kind, shape)
        sample = _sample_rows(said.rows)
        looked_at: list[FloatArray] = []
        for row, batch in self._blocks("writing features", self._features):
            matrix = self._matrix(batch, row)
            array[rank[row : row + len(matrix)]] = matrix
            give_back(array)
            looked_at.append(matrix[sample[(sample >= row) & (sample < row + len(matrix))] - row])
        self._require_label_free(np.concatenate(looked_at), [values[sample] for values in measured])
        _close(path, array)

    def _require_distinct(self, ids: NDArray[np.bytes_], order: NDArray[np.int64]) -> None:
        sorted_ids = ids[order]
        twice = np.flatnonzero(sorted_ids[1:] == sorted_ids[:-1])
        if not len(twice):
            return
        one, other = int(order[twice[0]]), int(order[twice[0] + 1])
        places = f"{self._source.place(one)} and {self._source.place(other)}"
        if self._columns.id is None:
            raise TableError(
                f"The same material stands in {places}: nothing that describes a candidate differs",
                expected="a row per candidate",
                action="drop the repeated rows, or name an id column or a feature that tells them apart",
            )
        raise TableError(
            f"The id {shown(bytes(ids[one]).decode())} stands in {places} ({len(twice):,} such rows in all)",
            expected="a row per candidate, with an id of its own",
            action="drop the repeated rows, or name another id column, or none",
        )

    def _require_label_free(self, features: FloatArray, measured: Sequence[FloatArray]) -> None:
        """Check on some rows that no feature is a measured property by another name."""
        known = dict(zip(self._columns.measured(), measured, strict=True))
        for leak in find_leaks(dict(zip(self._features, features.T, strict=True)), known):
            if leak.kind != "order":
                raise TableError(
                    f"{self._source.path.name}: {leak}",
                    expected="features that take no measurement",
                    action="leave the column out of pool.columns.features",
                )

    def _warnings(self, measured: list[FloatArray]) -> Iterator[str]:
        columns, values = self._columns, measured[0]
        known = int(np.isfinite(values).sum())
        if columns.keeps_unmeasured():
            yield f"{columns.property} is known for {known} of {len(values)} rows, and not measured yet for the others."
        if columns.property not in self._measured:
            yield f"The table has no column {columns.property!r}: nothing is known of it yet."
        if known == len(values) and values.min() == values.max():
            yield f"Every candidate has {columns.property} = {values[0]:g}: equal values leave nothing to balance."


class _Ids:
    """Ids as they come, in an array that widens with the longest."""

    def __init__(self, n: int) -> None:
        self._array = np.empty(n, dtype="S1")
        self._known = 0

    def add(self, ids: list[bytes]) -> None:
        some = np.array(ids, dtype=np.bytes_)
        if some.dtype.itemsize > self._array.dtype.itemsize:
            self._array = self._array.astype(some.dtype)
        self._array[self._known : self._known + len(some)] = some
        self._known += len(some)

    @property
    def all(self) -> NDArray[np.bytes_]:
        return self._array


def _families(
    names: Sequence[Names], raw: NDArray[np.int32], columns: TableColumns
) -> tuple[NDArray[np.int64], list[Words]]:
    """Return the codes of families and their names, sorted; spellings of one name are one family."""
    n = raw.shape[1]
    if not names:
        return np.zeros(n, dtype=np.int64), [(ALL,)]
    combined = np.zeros(n, dtype=np.int64)
    parts: list[list[str]] = []
    for each, codes in zip(names, raw, strict=True):
        one = folded(frozenset(each.distinct), columns.family_names)
        spelled = [one.get(text, text) for text in each.distinct]
        distinct = sorted(set(spelled))
        of_raw = np.array([distinct.index(text) for text in spelled], dtype=np.int64)
        combined = combined * len(distinct) + of_raw[codes]
        parts.append(distinct)
    there, codes_of = np.unique(combined, return_inverse=True)
    families: list[Words] = []
    for combination in there.tolist():
        left, words = combination, list[str]()
        for distinct in reversed(parts):
            left, place = divmod(left, len(distinct))
            words.insert(0, distinct[place])
        families.append(tuple(words))
    if len(families) > MAX_FAMILIES:
        raise TableError(
            f"The table has {len(families)} families",
            expected=f"at most {MAX_FAMILIES}",
            action="choose a coarser column as the family",
        )
    called = list(map(BETWEEN_PARTS.join, families))
    longest = max(called, key=len)
    if len(longest) > MAX_ID_LENGTH:
        raise TableError(
            f"The family {longest!r} has {len(longest)} characters",
            expected=f"at most {MAX_ID_LENGTH}, as a message carries",
            action="combine fewer columns, or shorten their names",
        )
    order = sorted(range(len(families)), key=called.__getitem__)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes_of.reshape(-1)], [families[place] for place in order]


def _require_plain(source: BlockSource, columns: TableColumns) -> None:
    """Check that the columns ask for nothing that needs the whole table in memory."""
    told = {
        "columns.structure": columns.structure, "columns.smiles": columns.smiles, "columns.factors": columns.factors,
        "columns.parameters": columns.parameters, "columns.labels": columns.labels,
        "columns.composition": columns.composition, "columns.fidelities": columns.fidelities,
        "a number cut into families": columns.binned(),
        f'on_missing = "{columns.on_missing}"': columns.leaves_out(),
        'on_replicates = "mean"': columns.on_replicates == "mean",
    }  # fmt: skip
    if asked := [name for name, each in told.items() if each]:
        raise TableError(
            f"{source.path} has {source.rows:,} rows and is read in blocks, and {asked[0]} is asked for",
            expected="a table of ids, families, properties and features, which is all that is read in blocks",
            action=f"write such columns into features and families beforehand, or take a part of fewer than"
            f" {IN_BLOCKS_FROM_ROWS:,} rows",
        )
    if not 0 < source.rows <= MAX_MAPPED_ROWS:
        raise TableError(
            f"The table {source.path} has {source.rows:,} rows",
            expected=f"at least one, and at most {MAX_MAPPED_ROWS:,}",
            action="take a part of it" if source.rows else "write a row per candidate",
        )


def _sample_rows(n: int) -> NDArray[np.int64]:
    """Return rows that are spread over the table, ascending."""
    return np.unique(np.linspace(0, n - 1, min(n, SAMPLE_ROWS)).astype(np.int64))


def _room(path: Path, kind: str, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    """Return an array in a new file, whose room on the disk is taken first: a full disk would kill whoever maps it."""
    size = np.dtype(kind).itemsize * int(np.prod(shape))
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:  # pragma: no cover - where the system has no such call
            file.truncate(size)
    return np.memmap(path, dtype=np.dtype(kind), mode="r+", shape=shape)


def _close(path: Path, array: np.memmap[Any, Any]) -> None:
    array.flush()
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _write(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as file:
        array.tofile(file)
        file.flush()
        os.fsync(file.fileno())
