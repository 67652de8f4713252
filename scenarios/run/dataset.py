"""What a run measured as a table: a row for each measurement that counts, for any program that reads CSV.

The file is streamed and replaced whole; an empty cell means that the figure is not known. A value that was taken back
is in no row: the journal has it. Texts are written as `protocols.storage.csv_cells` has them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from pathlib import Path
from typing import Final

from agent.store.dataset_rows import DatasetRow
from protocols.errors import TableError
from protocols.storage.csv_cells import from_cell
from protocols.storage.csv_file import write_csv

COLUMNS: Final = tuple(field.name for field in fields(DatasetRow))
"""Columns of the file: the fields of a row, in their order."""


NUMBERS: Final = ("observation", "value", "uncertainty", "replicate", "journal_row")
"""Columns that are no text."""


def write_dataset_csv(path: Path, rows: Iterable[DatasetRow]) -> None:
    """Write the dataset; floats keep all their digits.

    Raises:
        StoreError: When the file cannot be written.
    """
    write_csv(path, COLUMNS, (_cells(row) for row in rows))


def read_dataset_csv(path: Path) -> list[DatasetRow]:
    """Read a dataset that `write_dataset_csv` wrote.

    Raises:
        TableError: When the file cannot be read, or a row is not as written (with its line).
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = ([from_cell(cell) for cell in row] for row in csv.reader(file))
            header = next(reader, [])
            if tuple(header) != COLUMNS:
                raise TableError(
                    f"{path} begins with the columns {', '.join(header) or '(none)'}", expected=", ".join(COLUMNS)
                )
            return list(_rows(path, reader))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(
            f"The dataset {path} cannot be read ({error})", action="write it again: resume the run with --resume"
        ) from error


def _cells(row: DatasetRow) -> tuple[object, ...]:
    return tuple("" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in astuple(row))


def _rows(path: Path, reader: Iterable[list[str]]) -> Iterator[DatasetRow]:
    for line, row in enumerate(reader, start=2):
        try:
            yield _row(row)
        except ValueError as error:
            raise TableError(
                f"{path}, line {line}: {error}",
                expected="rows as this program writes them",
                action="write it again: resume the run with --resume",
            ) from error


def _row(row: list[str]) -> DatasetRow:
    if len(row) != len(COLUMNS):
        message = f"{len(row)} cells instead of {len(COLUMNS)}"
        raise ValueError(message)
    text = dict(zip(COLUMNS, row, strict=True))
    return DatasetRow(
        **{name: text[name] for name in COLUMNS if name not in NUMBERS},
        observation=int(text["observation"]) if text["observation"] else None,
        value=float(text["value"]),
        uncertainty=float(text["uncertainty"]) if text["uncertainty"] else None,
        replicate=int(text["replicate"]),
        journal_row=int(text["journal_row"]),
    )
