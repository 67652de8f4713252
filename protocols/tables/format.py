"""How a table is written: what its ending does not tell."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_OWN_MARKS: Final = 20
"""Most marks of its own that a table may have for a missing cell: a longer list is a column of names."""


NO_DELIMITERS: Final = "\"\r\n\0.+-_'"
"""Marks that belong to cells: quotes, line ends, and parts of numbers and names."""


def _separating(mark: str) -> str:
    if mark.isalnum() or mark in NO_DELIMITERS:
        raise ValueError(f"{mark!r} stands in cells and cannot separate them")
    return mark


OwnMark = Annotated[str, AfterValidator(str.strip)]
"""A mark for a missing cell, without blanks around it, as cells are compared."""


class TableFormat(BaseModel):
    """How a table is written, where its ending does not tell; the default reads what is written the usual way."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    delimiter: Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_separating)] | None = None
    """What stands between the cells of a text table. By default a comma, in `.tsv` a tab; in `.txt` it must be set."""
    decimal: Literal[".", ","] = "."
    """What stands before the decimals of a number in a text table."""
    sheet: Annotated[str, Field(min_length=1)] | None = None
    """Which sheet of a workbook is the table; by default its only one."""
    missing: Annotated[tuple[OwnMark, ...], Field(strict=False, max_length=MAX_OWN_MARKS)] = ()
    """Texts that stand for a missing cell in this table, besides the usual ones (empty, NaN, None, n/a, null, -); in
    columns of formulas too."""


USUAL: Final = TableFormat()
"""A table as most people write one."""
