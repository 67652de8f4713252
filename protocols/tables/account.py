"""The account of a reading: what was dropped, folded, merged or converted, counted by reason, with where it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

MAX_PLACES: Final = 3
"""Most places named per reason: enough to go and look, few enough for a line."""

MAX_REASON: Final = 300
"""Longest reason [character]: a sentence."""


class Handling(StrEnum):
    """What became of rows or cells that were not taken as they stand."""

    DROPPED = "dropped"
    FOLDED = "folded"
    MERGED = "merged"
    CONVERTED = "converted"
    NOTED = "noted"


class AccountEntry(BaseModel):
    """One kind of thing that was not taken as it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    handling: Annotated[Handling, Field(strict=False)]
    """What became of it; "noted" is what was taken as it stands and looks wrong."""
    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]
    """A whole sentence without a full stop, with the column."""
    count: Annotated[int, Field(ge=1)]
    """How many rows, or values."""
    places: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_PLACES)] = ()
    """Where the first ones stand, as a person counts."""

    @property
    def where(self) -> str:
        """The places in brackets, behind a blank; nothing where none is named."""
        return f" ({', '.join(self.places)}{', …' if self.count > len(self.places) else ''})" if self.places else ""

    def __str__(self) -> str:
        return f"{self.count} {self.handling}: {self.reason}{self.where}."


Account = tuple[AccountEntry, ...]
"""Of a whole reading, in the order in which the reader came upon it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An entry of the account before its places are looked up in the file.

    Attributes:
        handling: What became of the rows.
        reason: As in `AccountEntry`; a longer one is cut.
        rows: Positions in the file, from 0, ascending; only the first few are looked at.
        total: How many there are, where `rows` are not all of them, or something else is counted.
    """

    handling: Handling
    reason: str
    rows: Sequence[int] | NDArray[np.int64]
    total: int = 0

    @property
    def count(self) -> int:
        """How many rows, or values."""
        return self.total or len(self.rows)


def cut_reason(reason: str) -> str:
    """Return a reason as an entry takes it: the names in it may be of any length."""
    return reason if len(reason) <= MAX_REASON else reason[: MAX_REASON - 1] + "…"


def account_of(findings: Iterable[Finding], places: Callable[[Sequence[int]], Sequence[str]]) -> Account:
    """Return the account of what was found.

    Args:
        findings: In their order.
        places: Where rows of the file stand, as a person counts; called once, because it reads the file.
    """
    found = tuple(findings)
    firsts = [[int(row) for row in each.rows[:MAX_PLACES]] for each in found]
    wanted = sorted({row for rows in firsts for row in rows})
    place = dict(zip(wanted, places(wanted) if wanted else (), strict=True))
    return tuple(
        AccountEntry(
            handling=each.handling,
            reason=cut_reason(each.reason),
            count=each.count,
            places=tuple(place[row] for row in rows),
        )
        for each, rows in zip(found, firsts, strict=True)
    )
