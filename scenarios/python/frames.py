"""Data frames as tables of candidates: what of a frame is what, and the file that the rest of the program reads.

A frame goes through a CSV file, read by the same reader as any table: the same checks, the same ids, the same errors.
Numbers are written with all of their digits.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from protocols.errors import StoreError, TableError
from protocols.settings.suggestions import did_you_mean, listed
from protocols.tables.columns import TableColumns

ID: Final = "id"
"""Column with the ids, where a frame has them as its index."""


@dataclass(frozen=True, slots=True)
class FrameColumns:
    """What the columns of a frame mean.

    Attributes:
        measured: The property.
        family: The family, or several columns whose combination it is.
        id: The id; None where the index is it.
        features: What the policy knows a candidate by; None for every other column of numbers.
        unit: Of the property.
        composition: Column with formulas.
        smiles: Column with SMILES, where the candidates are molecules.
        structure: Column with structures.
    """

    measured: str
    family: str | Sequence[str]
    id: str | None = None
    features: Sequence[str] | None = None
    unit: str = ""
    composition: str | None = None
    smiles: str | None = None
    structure: str | None = None

    @property
    def families(self) -> tuple[str, ...]:
        """The columns that make a family."""
        return (self.family,) if isinstance(self.family, str) else tuple(self.family)

    def of(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Return the settings of `[pool.columns]` for a frame.

        Raises:
            TableError: When a column is not there, or holds what it cannot.
        """
        self._require_columns(frame)
        features = self._features_of(frame)
        if not (features or self.composition or self.smiles or self.structure):
            raise TableError(
                "The data frame has nothing that a policy could know candidates by",
                expected="columns of numbers beside the property, or formulas, SMILES or structures",
                action="features=[…], composition=…, smiles=… or structure=… name such columns",
            )
        described = {"composition": self.composition, "smiles": self.smiles, "structure": self.structure}
        return {
            "id": ID if self.id is None else self.id,
            "family": self.family if isinstance(self.family, str) else list(self.family),
            "property": self.measured,
            "unit": self.unit,
            "features": features,
            "on_missing": "unknown" if frame[self.measured].isna().any() else "error",
        } | {name: column for name, column in described.items() if column is not None}

    def _features_of(self, frame: pd.DataFrame) -> list[str]:
        if self.features is not None:
            return list(self.features)
        taken = {self.measured, self.id, *self.families, self.composition, self.smiles, self.structure}
        return [str(name) for name in frame.columns if name not in taken and _holds_numbers(frame[name])]

    def _require_columns(self, frame: pd.DataFrame) -> None:
        if not isinstance(frame, pd.DataFrame):
            raise TableError(f"The pool is a {type(frame).__name__}", expected="a pandas data frame, or a table's path")
        _require_plain_names(frame)
        if frame.empty:
            raise TableError("The data frame has no rows", expected="a row per candidate")
        if twice := [str(name) for name in frame.columns[frame.columns.duplicated()]]:
            raise TableError(f"The data frame has two columns {twice[0]!r}", expected="each name once")
        names = [str(name) for name in frame.columns]
        wanted = [self.measured, *self.families, self.id, self.composition, self.smiles, self.structure]
        for name in (*wanted, *(self.features or ())):
            if name is not None and name not in names:
                raise TableError(
                    f"The data frame has no column {name!r}",
                    expected=f"one of {listed(names)}",
                    action=did_you_mean(name, names) or "name another",
                )
        for name in (self.measured, *(self.features or ())):
            _require_numbers(frame[name], name)
        if self.id is None:
            _require_index(frame)
        if self.id is None and ID in names:
            raise TableError(
                f"The data frame has a column {ID!r}, and its index is taken for the ids",
                expected="one of the two",
                action=f"say id={ID!r}, or rename the column",
            )


def _holds_numbers(column: pd.Series[Any]) -> bool:
    """Whether a column holds real numbers: not truth values, complex numbers, times or durations."""
    types = pd.api.types
    return bool(types.is_integer_dtype(column) or types.is_float_dtype(column))


def _require_plain_names(frame: pd.DataFrame) -> None:
    """Check that columns are named by texts, one each.

    Raises:
        TableError: When they are not.
    """
    if isinstance(frame.columns, pd.MultiIndex):
        raise TableError(
            f"The columns of the data frame have {frame.columns.nlevels} levels",
            expected="one name for each column",
            action="frame.columns = ['_'.join(map(str, name)) for name in frame.columns]",
        )
    if other := [name for name in frame.columns if not isinstance(name, str)]:
        raise TableError(
            f"A column of the data frame is named {other[0]!r}, which is no text",
            expected="texts as the names of columns",
            action="frame.columns = frame.columns.map(str)",
        )


def _require_index(frame: pd.DataFrame) -> None:
    """Check that an index can be ids.

    Raises:
        TableError: When it has several levels, holes, or the same label twice.
    """
    if isinstance(frame.index, pd.MultiIndex):
        raise TableError(
            f"The index of the data frame has {frame.index.nlevels} levels, and is taken for the ids",
            expected="one label for each row",
            action="frame = frame.reset_index(), and name the column of ids with id=…",
        )
    if frame.index.hasnans:
        raise TableError(
            "A label of the data frame's index is missing, and the index is taken for the ids",
            expected="a label for each row",
            action="frame = frame.reset_index(drop=True), or name a column with id=…",
        )
    labels_of(frame, None)


def _require_numbers(column: pd.Series[Any], name: str) -> None:
    """Check that a column holds numbers.

    Raises:
        TableError: When it does not; it says how to make them numbers.
    """
    if _holds_numbers(column):
        return
    dtype = "words and numbers mixed" if column.dtype == object else str(column.dtype)
    made = f"pandas.to_numeric(frame[{name!r}].astype(object), errors='coerce')"
    if pd.api.types.is_datetime64_any_dtype(column):
        made = f"(frame[{name!r}] - frame[{name!r}].min()).dt.total_seconds()"
    elif pd.api.types.is_timedelta64_dtype(column):
        made = f"frame[{name!r}].dt.total_seconds()"
    elif pd.api.types.is_bool_dtype(column):
        made = f"frame[{name!r}].astype(float)"
    raise TableError(
        f"Column {name!r} of the data frame holds {dtype}, not numbers",
        expected="numbers, and NaN where a value is not known",
        action=f"frame[{name!r}] = {made}",
    )


def id_column_of(frame: pd.DataFrame, said: str | None) -> str | None:
    """Return the column with the ids: the one that is said, or `id` where rows are only counted, as after `read_csv`.

    None where the index has the ids.
    """
    if said is not None or not isinstance(frame, pd.DataFrame):
        return said
    is_counted = isinstance(frame.index, pd.RangeIndex) and frame.index.name is None
    return ID if is_counted and ID in frame.columns else None


def labels_of(frame: pd.DataFrame, column: str | None) -> Mapping[str, Hashable]:
    """Return the ids of a frame as text, as they are read again, and the labels that they stand for.

    Raises:
        TableError: When two rows have one.
    """
    labels = list(frame.index if column is None else frame[column])
    found: dict[str, Hashable] = {}
    for label in labels:
        if str(label) in found:
            raise TableError(
                f"Two rows of the data frame have the id {label!r}",
                expected="an id of its own for each",
                action="frame = frame.reset_index(drop=True), or name another column with id=…",
            )
        found[str(label)] = label
    return found


def write_frame(frame: pd.DataFrame, path: Path, columns: FrameColumns) -> None:
    """Write a frame as the table that the settings of `columns.of` are for.

    Raises:
        StoreError: When it cannot be written.
    """
    written = frame if columns.id is not None else frame.rename_axis(index=ID).reset_index()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written.to_csv(path, index=False)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror or error})", expected="a folder of yours"
        ) from None


def write_fill(frame: pd.DataFrame, path: Path, columns: TableColumns) -> None:
    """Write a frame that answers for a campaign's candidates, as the columns of its pool say.

    Args:
        frame: With the columns of the pool; the ids may be its index.
        path: Of the new file.
        columns: Of the pool.

    Raises:
        TableError: When the frame lacks a column that is needed, or its index can be no ids.
        StoreError: When it cannot be written.
    """
    if not isinstance(frame, pd.DataFrame):
        raise TableError(
            f"What fills in is a {type(frame).__name__}", expected="a pandas data frame, or a table's path"
        )
    _require_plain_names(frame)
    if columns.property not in frame.columns:
        raise TableError(
            f"The data frame that fills in has no column {columns.property!r}",
            expected=f"one of {listed(list(frame.columns))}",
            action=did_you_mean(columns.property, list(frame.columns)) or "name it as the campaign's property is named",
        )
    _require_numbers(frame[columns.property], columns.property)
    written = frame
    if columns.id is not None and columns.id not in frame.columns:
        _require_index(frame)
        written = frame.rename_axis(index=columns.id).reset_index()
    try:
        written.to_csv(path, index=False)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror or error})", expected="a folder of yours"
        ) from None
