"""Which column of a table means what, and which columns of a file are meant."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.errors import TableError
from protocols.limits import MAX_ID_LENGTH, MAX_QUANTITIES
from protocols.messages import Name

MAX_NAMES_SHOWN: Final = 30
"""Most column names in an error: a screenful."""

DERIVED_FAMILY: Final = "crystal_system"
"""The family that is derived from the structure when the table has no column of this name."""

ColumnName = Annotated[str, Field(min_length=1)]


class TableColumns(BaseModel):
    """Which column of a table means what.

    Attributes:
        id: Column with the id of a row; None makes the id from the row's content (structure text, else family,
            composition and features), never from the property.
        family: Column with the family. The default, `crystal_system`, is derived from the structure when there is no
            such column.
        property: Column with the property of the campaign.
        unit: Its unit.
        features: Columns with features, in this order; a name may be a glob such as `feat_*`. May be empty when
            there is a composition or a structure.
        composition: Column with formulas.
        structure: Column with structures: the text of a CIF, or a JSON of `protocols.structure.CrystalStructure`.
        further_properties: Column to unit of properties that are known beside; their cells may be empty.
        valid_range: Smallest and largest value of the property that can be true [unit].
        on_missing: What an empty or infinite cell in a used column does: "error" stops, "drop" leaves the row out.
            "unknown" takes an empty cell of the property for a candidate that is not measured yet, as a real lab has
            them; all else must be complete, as with "error".
        on_no_entropy: What a table does that leaves no entropy to balance, because every value is the same or a family
            has one candidate only: "error" stops, "warn" tells and goes on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    id: ColumnName | None = None
    family: ColumnName = DERIVED_FAMILY
    property: Name
    unit: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    # TOML has lists where we have tuples.
    features: Annotated[tuple[ColumnName, ...], Field(strict=False)] = ()
    composition: ColumnName | None = None
    structure: ColumnName | None = None
    further_properties: Annotated[
        dict[Name, Annotated[str, Field(max_length=MAX_ID_LENGTH)]], Field(max_length=MAX_QUANTITIES - 1)
    ] = {}
    valid_range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    on_missing: Literal["error", "drop", "unknown"] = "error"
    on_no_entropy: Literal["error", "warn"] = "error"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not (self.features or self.composition or self.structure):
            raise ValueError("name feature columns, a composition column or a structure column")
        described = {self.id, self.family, self.composition, self.structure, *self.features}
        if leaked := sorted(name for name in self.measured() if name in described):
            raise ValueError(f"{leaked[0]!r} is a measured property and cannot describe a candidate as well")
        if self.property in self.further_properties:
            raise ValueError(f"{self.property!r} is the property already; leave it out of further_properties")
        if self.valid_range is not None and not self.valid_range[0] < self.valid_range[1]:
            raise ValueError(f"valid_range {list(self.valid_range)} does not go from a smaller to a larger number")
        return self

    def measured(self) -> tuple[str, ...]:
        """The property and the further ones: what an evaluation gives, and no policy may see beforehand."""
        return (self.property, *self.further_properties)


def require_column(path: Path, name: str, names: Sequence[str]) -> str:
    """Return `name` when the file has such a column.

    Raises:
        TableError: With the columns that it has, and the one that was meant.
    """
    if name in names:
        return name
    by_lower = {each.lower(): each for each in reversed(names)}
    nearest = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    listed = ", ".join(names[:MAX_NAMES_SHOWN])
    more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
    raise TableError(
        f"The table {path} has no column {name!r}",
        expected=f"one of {listed}{more}",
        action=f"did you mean {by_lower[nearest[0]]!r}?" if nearest else "name a column that exists",
    )


def feature_columns(path: Path, columns: TableColumns, names: Sequence[str]) -> tuple[str, ...]:
    """Return the feature columns, globs expanded in file order; a glob takes no column that has another meaning."""
    taken = {columns.id, columns.family, columns.composition, columns.structure, *columns.measured()}
    found: list[str] = []
    for wanted in columns.features:
        matches = [each for each in names if fnmatch.fnmatchcase(each, wanted) and each not in taken]
        if wanted in names or not matches:
            matches = [require_column(path, wanted, names)]
        found += matches
    return tuple(dict.fromkeys(found))


def text_columns(path: Path, columns: TableColumns, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of texts; none for a family that is derived from the structure."""
    derived = columns.family == DERIVED_FAMILY and columns.structure is not None and columns.family not in names
    family = None if derived else columns.family
    wanted = [name for name in (columns.id, family, columns.composition, columns.structure) if name is not None]
    return tuple(dict.fromkeys(require_column(path, name, names) for name in wanted))
