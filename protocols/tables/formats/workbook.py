"""Excel workbooks: one sheet, its first row that is not empty as the header."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from protocols.errors import TableError
from protocols.extras import EXTRA_OF
from protocols.settings.suggestions import did_you_mean, listed
from protocols.tables.account import AccountEntry
from protocols.tables.format import TableFormat
from protocols.tables.formats.errors import dated_column, reading, too_large
from protocols.tables.formats.limits import MAX_TABLE_BYTES
from protocols.tables.formats.reader import frame_of

ERROR_CELL: Final = "e"
"""openpyxl's type of a cell whose formula failed, such as #DIV/0!."""

FORMULA_CELL: Final = "f"
"""Its type of a cell with a formula, where formulas are read."""

EXACT_BELOW: Final = 1e15
"""From here on a workbook rounds whole numbers: it keeps 15 digits."""

DATES: Final = (dt.date, dt.time, dt.timedelta)
"""What openpyxl makes of a number that the workbook shows as a date or a time."""


class Workbook:
    """A workbook."""

    def __init__(self, path: Path, form: TableFormat) -> None:
        self._path = path
        self._wanted = form.sheet
        self._sheet = ""
        self._rows: list[int] = []

    def names(self) -> list[str]:
        """Return the names in the header."""
        with self._opened(computed=True) as sheet:
            header = next(self._filled(sheet), None)
        if header is None:
            raise TableError(
                f"The sheet {self._sheet!r} of {self._path} is empty", expected="a header and a row per candidate"
            )
        cells = ["" if cell.value is None else str(cell.value).strip() for cell in header[1]]
        while cells and not cells[-1]:
            cells.pop()
        return [cell or f"Unnamed: {position}" for position, cell in enumerate(cells)]

    def frame(self, names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read the used columns; of a formula the value that was saved with it."""
        position = {name: names.index(name) for name in (*numeric, *texts)}
        columns: dict[str, list[object]] = {name: [] for name in position}
        self._rows = []
        with self._opened(computed=True) as sheet:
            filled = self._filled(sheet)
            empty = self._empty_cells(position, *next(filled))
            for row, cells in filled:
                self._rows.append(row)
                empty |= self._empty_cells(position, row, cells)
                if any(cell.value is not None for cell in cells[len(names) :]):
                    raise TableError(
                        f"Row {row} of the sheet {self._sheet!r} of {self._path} has cells beyond the header's"
                        f" {len(names)} columns",
                        expected="a name above every cell",
                        action="name the column, or clear these cells",
                    )
                for name, at in position.items():
                    cell = self._cell(name, row, cells[at]) if at < len(cells) else None
                    if name in texts:
                        self._check_digits(name, row, cell)
                    columns[name].append(cell)
        if empty:
            self._check_formulas(position, empty)
        return frame_of(columns, numeric)

    def place(self, row: int) -> str:
        """The row as the program counts it, and the sheet."""
        return f"row {self._rows[row]} of the sheet {self._sheet!r} of {self._path.name}"

    def notes(self) -> tuple[AccountEntry, ...]:
        """Nothing: what a workbook holds beside its cells is not read."""
        return ()

    @contextmanager
    def _opened(self, *, computed: bool) -> Iterator[Any]:
        """Open the sheet; `computed` gives the values of formulas, else their texts."""
        try:
            import openpyxl
        except ImportError as error:
            raise TableError(
                f"{self._path} is an Excel workbook, and openpyxl is not installed",
                action=f"pip install 'entropilot[{EXTRA_OF['openpyxl']}]', or save the sheet as CSV UTF-8",
            ) from error
        with reading(self._path), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl's notes on styles and links that it does not keep
            self._check_size()
            with self._path.open("rb") as file:  # openpyxl leaves one open that it opened itself
                workbook = openpyxl.load_workbook(file, read_only=True, data_only=computed)
                with closing(workbook):
                    yield self._chosen(workbook)

    def _check_size(self) -> None:
        with zipfile.ZipFile(self._path) as archive:  # reading stops at the sizes that are told here
            if sum(each.file_size for each in archive.infolist()) > MAX_TABLE_BYTES:
                raise too_large(self._path)

    def _chosen(self, workbook: Any) -> Any:
        sheets = {sheet.title: sheet for sheet in workbook.worksheets}
        if self._wanted is not None:
            if self._wanted not in sheets:
                raise TableError(
                    f"The workbook {self._path} has no sheet {self._wanted!r}",
                    expected=f"one of {listed(list(sheets))}",
                    action=did_you_mean(self._wanted, list(sheets)) or "name a sheet that exists",
                )
            self._sheet = self._wanted
            return sheets[self._wanted]
        filled = [title for title, sheet in sheets.items() if next(self._filled(sheet), None) is not None]
        if len(filled) > 1:
            raise TableError(
                f"The workbook {self._path} has several sheets with cells: {listed(filled)}",
                expected="one, or the name of the one that is meant",
                action=f'set sheet, as sheet = "{filled[0]}"',
            )
        self._sheet = (filled or list(sheets))[0]
        return sheets[self._sheet]

    @staticmethod
    def _filled(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Yield the rows that are not empty, each with its number from 1."""
        # A size that another program wrote wrongly would cut rows off.
        sheet.reset_dimensions()
        for row, cells in enumerate(sheet.iter_rows(), start=1):
            if any(cell.value is not None and str(cell.value).strip() for cell in cells):
                yield row, cells

    def _cell(self, name: str, row: int, cell: Any) -> object:
        if isinstance(cell.value, DATES):
            raise dated_column(self._path, name, f"a date or a time ({cell.value})", self._place_of(row))
        return None if cell.data_type == ERROR_CELL else cell.value

    def _check_digits(self, name: str, row: int, cell: object) -> None:
        """Refuse a number that is used as a name, and has more digits than a workbook keeps."""
        if isinstance(cell, int | float) and abs(cell) >= EXACT_BELOW:
            raise TableError(
                f"Column {name!r} of {self._path} has the number {cell:g} in {self._place_of(row)}, where names are",
                expected="numbers of at most 15 digits, which is what a workbook keeps: two long ones become one",
                action="write such names as text (in Excel: format the cells as text, then enter them)",
            )

    def _place_of(self, row: int) -> str:
        return f"row {row} of the sheet {self._sheet!r}"

    def _check_formulas(self, position: dict[str, int], empty: Collection[tuple[int, str]]) -> None:
        """Refuse a formula without a value: a program that computes nothing wrote it, and the cell only looks empty."""
        with self._opened(computed=False) as sheet:
            for row, cells in self._filled(sheet):
                for name, at in position.items():
                    if at < len(cells) and cells[at].data_type == FORMULA_CELL and (row, name) in empty:
                        raise TableError(
                            f"Column {name!r} of {self._path} holds a formula that was never computed in"
                            f" {self._place_of(row)} ({str(cells[at].value)[:40]})",
                            expected="a formula that was saved with its value",
                            action="open the workbook with a program that computes, and save it",
                        )

    @staticmethod
    def _empty_cells(position: dict[str, int], row: int, cells: Sequence[Any]) -> set[tuple[int, str]]:
        """Return the cells of used columns without a value and without an error."""
        return {(row, name) for name, at in position.items() if at < len(cells) and cells[at].value is None}
