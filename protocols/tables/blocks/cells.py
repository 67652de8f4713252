"""Cells of a record batch, checked: numbers, texts that name a family, and ids."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.tables.blocks.source import BlockSource
from protocols.tables.cells import FloatArray, shown
from protocols.tables.columns import TableColumns
from protocols.tables.marks import in_words, is_missing
from protocols.wire.limits import MAX_FAMILIES
from protocols.wire.messages import ID_PATTERN

SINGLE: Final = frozenset({"float", "halffloat", "int8", "uint8", "int16", "uint16"})
"""Types of Arrow whose every value a float of single precision holds exactly."""

UNKNOWN_ACTION: Final = 'set on_missing = "unknown" when candidates without a value are to be measured'


def require_number(source: BlockSource, name: str) -> None:
    """Check that a column holds numbers.

    Raises:
        TableError: With what it holds.
    """
    import pyarrow as pa

    kind = source.kind(name)
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        raise TableError(
            f"Column {name!r} of {source.path} holds {kind}",
            expected="whole numbers or floats, for the table is read in blocks",
            action="write the column as numbers, or name another one",
        )


def is_text_or_whole(kind: Any) -> bool:
    """Whether a column of this type can name something."""
    import pyarrow as pa

    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind))


def precision_of(source: BlockSource, names: tuple[str, ...]) -> str:
    """Return the precision in which features are kept: single only where that changes no value."""
    return "<f4" if all(str(source.kind(name)) in SINGLE for name in names) else "<f8"


def numbers_of(
    source: BlockSource, batch: Any, name: str, row: int, believed: tuple[float, float], *, may_be_unknown: bool = False
) -> FloatArray:
    """Return the numbers of a column of a batch, shape (b,); NaN where one may be unknown and is.

    Args:
        source: The file.
        batch: A record batch of it.
        name: The column.
        row: Number of the first row of the batch.
        believed: The smallest and the largest number that can be true.
        may_be_unknown: Whether a cell may be empty.

    Raises:
        TableError: With the first row that cannot be used.
    """
    column = batch.column(name)
    empty = np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    numbers = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    gone = np.isnan(numbers)
    if not may_be_unknown and (empty | gone).any():
        at = int(np.argmax(empty | gone))
        raise TableError(
            f"Column {name!r} is {'empty' if empty[at] else 'not a number (NaN)'} in {source.place(row + at)}",
            expected="a number in every row, for the table is read in blocks",
            action="fill the cell or leave the row out",
        )
    low, high = believed
    wrong = ~gone & ~((numbers >= low) & (numbers <= high))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise TableError(
            f"Column {name!r} is {numbers[at]:g} in {source.place(row + at)}",
            expected=f"numbers between {low:g} and {high:g}",
            action="correct or leave out such rows; for the property, valid_range says what can be true",
        )
    return numbers


class Names:
    """The texts of a column that names something, as codes; there are few of them.

    Args:
        source: The file.
        name: The column.
        columns: What counts as missing, and which names are meant.

    Attributes:
        distinct: The texts, in the order in which they came.
    """

    def __init__(self, source: BlockSource, name: str, columns: TableColumns) -> None:
        import pyarrow as pa

        self._source, self._name, self._columns = source, name, columns
        self.distinct: list[str] = []
        self._code: dict[str, int] = {}
        kind = source.kind(name)
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not is_text_or_whole(kind):
            raise TableError(
                f"Column {name!r} of {source.path} holds {kind}",
                expected="texts or whole numbers, for it names families",
                action="write the column as text, or name another one",
            )

    def codes_of(self, batch: Any, row: int) -> NDArray[np.int32]:
        """Return the code of each row of a batch, shape (b,).

        Raises:
            TableError: When a cell is missing, or there are too many different ones.
        """
        column = batch.column(self._name)
        if not hasattr(column, "dictionary"):
            column = column.dictionary_encode()
        indices = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        texts = ["" if each is None else str(each).strip() for each in column.dictionary.to_pylist()]
        used = set(np.unique(indices).tolist())
        codes = np.full(len(texts) + 1, -1, dtype=np.int32)
        for place, text in enumerate(texts):
            if place in used and not self._is_missing(text):
                codes[place] = self._coded(text)
        found: NDArray[np.int32] = codes[indices]
        if (found < 0).any():
            at = int(np.argmax(found < 0))
            text = "" if indices[at] < 0 else texts[indices[at]]
            raise TableError(
                f"Column {self._name!r} has {in_words(text)} in {self._source.place(row + at)}",
                expected="a family in every row, for the table is read in blocks",
                action="fill the cell, leave the row out, or name the text in family_names when it is a family",
            )
        return found

    def _is_missing(self, text: str) -> bool:
        return text not in self._columns.family_names and is_missing(text, self._columns.missing)

    def _coded(self, text: str) -> int:
        if text not in self._code:
            if len(self._code) == 2 * MAX_FAMILIES:  # spellings of one family are several texts
                raise TableError(
                    f"Column {self._name!r} of {self._source.path} has more than {2 * MAX_FAMILIES} different texts",
                    expected=f"at most {MAX_FAMILIES} families",
                    action="choose a coarser column as the family",
                )
            self._code[text] = len(self.distinct)
            self.distinct.append(text)
        return self._code[text]


def ids_in(source: BlockSource, batch: Any, name: str, row: int) -> list[bytes]:
    """Return the ids of a batch as they stand, length b.

    Raises:
        TableError: With the first that no request can carry as it stands.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = batch.column(name)
    column = column.dictionary_decode() if hasattr(column, "dictionary") else column
    if not is_text_or_whole(column.type):
        raise TableError(
            f"Column {name!r} of {source.path} holds {column.type}",
            expected="texts or whole numbers, for it names candidates",
            action="write the column as text, name another one, or none",
        )
    texts = column.cast(pa.string())
    lawful = (
        pc.match_substring_regex(texts, pattern=ID_PATTERN).fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    )
    if not lawful.all():
        at = int(np.argmin(lawful))
        text = texts[at].as_py()
        raise TableError(
            f"The id in {source.place(row + at)} is {'empty' if text is None else shown(text)}",
            expected=f"ids that need not be rewritten, for the table is read in blocks: {ID_PATTERN}",
            action="write them so, or name no id column: ids are then made of what describes a candidate",
        )
    return [text.encode() for text in texts.to_pylist()]
