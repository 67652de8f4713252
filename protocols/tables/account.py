"""The account of a reading: what was dropped, folded, merged or converted, counted by reason, with where it begins."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

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

    def __str__(self) -> str:
        where = f" ({', '.join(self.places)}{', …' if self.count > len(self.places) else ''})" if self.places else ""
        return f"{self.count} {self.handling}: {self.reason}{where}."


Account = tuple[AccountEntry, ...]
"""Of a whole reading, in the order in which the reader came upon it."""
