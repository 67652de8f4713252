"""Which column of a table means what, and which columns of a file are meant."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from protocols.errors import TableError
from protocols.settings.suggestions import did_you_mean, listed
from protocols.tables.cells import FloatArray
from protocols.tables.format import TableFormat
from protocols.tables.formats.delimited import looks_like_cells
from protocols.wire.limits import (
    MAX_ABS_VALUE,
    MAX_FAMILIES,
    MAX_FIDELITIES,
    MAX_ID_LENGTH,
    MAX_PARAMETERS,
    MAX_QUANTITIES,
    USUAL_ABS_VALUE,
)
from protocols.wire.messages import Name

DERIVED_FAMILY: Final = "crystal_system"
"""The family that is derived from the structure when the table has no column of this name."""

MAX_NAMES_SHOWN: Final = 5
"""Most names of a line that is shown because it looks like none of names."""

FEWEST_DIGITS: Final = 4
"""Fewest significant digits of an edge in the name of a family: enough for most, and short."""

ALL_DIGITS: Final = 17
"""Most significant digits: they tell any two floats apart."""

ColumnName = Annotated[str, Field(min_length=1)]


class BinnedColumn(BaseModel):
    """A number cut into families: at given edges, or into bins of equally many rows."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    column: ColumnName
    """Column of the number."""
    edges: Annotated[tuple[float, ...], Field(strict=False)] = ()
    """Where it is cut, ascending; a value on an edge belongs to the upper family."""
    bins: Annotated[int, Field(ge=2, le=MAX_FAMILIES)] | None = None
    """Into how many families of about equally many rows it is cut, instead of at edges."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.edges) == (self.bins is not None):
            raise ValueError("a column is cut at edges or into bins: name one of the two")
        if any(low >= high for low, high in itertools.pairwise(self.edges)):
            raise ValueError(f"edges {list(self.edges)} do not ascend")
        return self

    def name_families(self, values: FloatArray) -> list[str]:
        """Return the family of every value, named by its bounds; finite values, shape (n,)."""
        edges = np.array(self.edges)
        if self.bins is not None:
            edges = np.unique(np.quantile(values, np.arange(1, self.bins) / self.bins))
        bounds = _exact(self.edges) if self.bins is None else _distinct(edges.tolist())
        names = [f"{self.column} < {bounds[0]}"]
        names += [f"{self.column} {low} to {high}" for low, high in itertools.pairwise(bounds)]
        names.append(f"{self.column} >= {bounds[-1]}")
        return [names[place] for place in np.searchsorted(edges, values, side="right")]


def _exact(edges: Sequence[float]) -> list[str]:
    """Return edges that somebody named with as many digits as they have."""
    digits = range(FEWEST_DIGITS, ALL_DIGITS + 1)
    return [next(text for each in digits if float(text := f"{edge:.{each}g}") == edge) for edge in edges]


def _distinct(edges: Sequence[float]) -> list[str]:
    """Return edges between data with as few digits as tell them apart."""
    digits = range(FEWEST_DIGITS, ALL_DIGITS + 1)
    texts = ([f"{edge:.{each}g}" for edge in edges] for each in digits)
    return next(each for each in texts if len(set(each)) == len(each))


FamilyPart = ColumnName | BinnedColumn


class TableColumns(TableFormat):
    """Which column of a table means what, and how the table is written."""

    id: ColumnName | None = None
    """Column with the id of a row; None makes the id from the row's content (SMILES or crystal, else family,
    composition and features), never from the property."""
    family: FamilyPart | Annotated[tuple[FamilyPart, ...], Field(strict=False, max_length=4)] = DERIVED_FAMILY
    """Column with the family, a number cut into bins, or a list of these: then a family is a combination of them. An
    empty list makes one family of all candidates. The default, `crystal_system`, is derived from the structure when
    there is no such column."""
    property: Name
    """Column with the property of the campaign."""
    unit: Annotated[str, Field(max_length=MAX_ID_LENGTH)]
    """Its unit."""
    # TOML has lists where we have tuples.
    features: Annotated[tuple[ColumnName, ...], Field(strict=False)] = ()
    """Columns with features, in this order; a name may be a glob such as `feat_*`. May be empty when there is a
    composition or a structure."""
    composition: ColumnName | None = None
    """Column with formulas."""
    structure: ColumnName | None = None
    """Column with structures, in any of the formats of docs/reference/tables.md."""
    smiles: ColumnName | None = None
    """Column with SMILES, where the candidates are molecules. What a molecule is, is its canonical SMILES; its features
    and its family come from columns."""
    factors: Annotated[tuple[ColumnName, ...], Field(strict=False)] = ()
    """Columns with the levels of factors, where the table is one of designs: several rows may then make one candidate,
    and say the same of it."""
    queried: ColumnName | None = None
    """The factor whose effects are asked for; by default the first."""
    reference: ColumnName | None = None
    """Its level that effects are stated against; by default the one that makes the plainest candidate."""
    parameters: Annotated[
        dict[Name, Annotated[str, Field(max_length=MAX_ID_LENGTH)]], Field(max_length=MAX_PARAMETERS)
    ] = Field(default={})
    """Column to unit of what an instrument sets to make a candidate: numbers that every request carries. They are the
    features too, where there are no others."""
    labels: Annotated[tuple[Name, ...], Field(strict=False, max_length=MAX_PARAMETERS)] = ()
    """Columns of words that every request carries: a solvent, the name of a method."""
    additional_properties: Annotated[
        dict[Name, Annotated[str, Field(max_length=MAX_ID_LENGTH)]], Field(max_length=MAX_QUANTITIES - 1)
    ] = Field(default={})
    """Column to unit of properties that are known beside; their cells may be empty."""
    fidelities: Annotated[dict[Name, Name], Field(max_length=MAX_FIDELITIES)] = Field(default={})
    """Method to column of the property's values by it, in its unit, beside those of the target, which are the property;
    their cells may be empty."""
    valid_range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    """Smallest and largest value of the property that can be true [unit]."""
    on_missing: Literal["error", "drop", "unknown", "unknown_or_drop"] = "error"
    """What a row does that cannot be used (a missing cell, no number, a value that cannot be true, a formula, molecule
    or structure that cannot be read): "error" stops, "drop" leaves it out and counts it by reason. "unknown" takes a
    missing cell of the property for a candidate that is not measured yet, as a real lab has them; all else must be
    complete, as with "error". "unknown_or_drop" does the same, and leaves a row out that cannot be used for anything
    else."""
    on_replicates: Literal["error", "mean"] = "error"
    """What several rows of one candidate do: "error" stops, "mean" makes one of them, with the mean of the property and
    the sample standard deviation of that mean as its uncertainty; whatever describes the candidate must be the same."""
    family_names: dict[str, Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]] = Field(default={})
    """A family as the table spells it to the family that is meant: `"Cubic" = "cubic"` makes one family of two, and
    `"NA" = "NA"` keeps a family that would count as missing."""
    symmetry_tolerance: Annotated[float, Field(gt=0.0, le=1.0)] = 0.01
    """Distance within which atoms count as symmetric when crystal systems are derived, and primitive cells for features
    of structures [Å]."""
    angle_tolerance: Annotated[float, Field(ge=-1.0, le=10.0)] = -1.0
    """The same of angles of the lattice [degree]; negative (the default) to go by the distance only. pymatgen's own
    default of 5 takes a lattice of 92° for one of 90°."""
    structure_limit_s: Annotated[float, Field(gt=0.0)] = 10.0
    """Longest processor time that one structure may take to be read and described [s] (on Windows, by the clock); one
    that takes longer cannot be used."""
    on_no_entropy: Literal["error", "warn"] = "error"
    """What a table does that leaves no entropy to balance, because every value is the same or a family has one
    candidate only: "error" stops, "warn" tells and goes on."""

    in_blocks: bool | None = None
    """Whether a Parquet or Arrow file is read in blocks and its features stay in a file, so that it need not fit in
    memory; by default where it has more than 2,000,000 rows."""

    def keeps_unmeasured(self) -> bool:
        """Whether a row without a value of the property is a candidate that a lab is to measure."""
        return self.on_missing in ("unknown", "unknown_or_drop")

    def leaves_out(self) -> bool:
        """Whether a row that cannot be used is left out, and does not stop the reading."""
        return self.on_missing in ("drop", "unknown_or_drop")

    @field_validator("valid_range")
    @classmethod
    def _in_order(cls, valid_range: tuple[float, float] | None) -> tuple[float, float] | None:
        if valid_range is not None and not valid_range[0] < valid_range[1]:
            raise ValueError(f"valid_range {list(valid_range)} does not go from a smaller to a larger number")
        return valid_range

    @model_validator(mode="after")
    def _parameters_once(self) -> Self:
        if twice := [name for name in self.labels if name in self.parameters or self.labels.count(name) > 1]:
            raise ValueError(f"{twice[0]!r} stands twice in parameters and labels; it is a number or a word, and once")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not (self.feature_patterns() or self.composition or self.structure or self.factors):
            raise ValueError("name feature columns, columns of parameters, a composition column or a structure column")
        if len(set(self.factors)) < len(self.factors):
            raise ValueError(f"factors names one twice: {', '.join(self.factors)}")
        if self.factors and not (self.smiles or self.id):
            raise ValueError("a table of designs says by a smiles or an id column which candidate a row makes")
        if self.queried is not None and self.queried not in self.factors:
            raise ValueError(f"queried = {self.queried!r} is none of the factors ({', '.join(self.factors) or 'none'})")
        if self.reference is not None and not self.factors:
            raise ValueError("a reference is a level of a factor: name the factors")
        if self.factors and self.on_replicates == "mean":
            raise ValueError("several rows of a table of designs make one candidate; its values are not averaged")
        if self.structure and self.smiles:
            raise ValueError("candidates are crystals or molecules: name a structure column or a smiles column")
        described = {
            self.id, *self.family_columns(), self.composition, self.structure, self.smiles, *self.features,
            *self.factors, *self.parameters, *self.labels,
        }  # fmt: skip
        if leaked := sorted(name for name in self.measured() if name in described):
            raise ValueError(f"{leaked[0]!r} is a measured property and cannot describe a candidate as well")
        if self.property in self.additional_properties:
            raise ValueError(f"{self.property!r} is the property already; leave it out of additional_properties")
        return self

    @model_validator(mode="after")
    def _of_other_methods(self) -> Self:
        if twice := sorted({self.property, *self.additional_properties} & {*self.fidelities.values()}):
            raise ValueError(f"{twice[0]!r} is a property; fidelities names columns of its values by other methods")
        return self

    def feature_patterns(self) -> tuple[str, ...]:
        """Return the names and globs of features; the parameters where nothing else describes a candidate."""
        if self.features or self.composition or self.structure or self.smiles or self.factors:
            return self.features
        return tuple(self.parameters)

    def family_parts(self) -> tuple[FamilyPart, ...]:
        """What a family is made of."""
        return self.family if isinstance(self.family, tuple) else (self.family,)

    def family_columns(self) -> tuple[str, ...]:
        """Columns that families are made of."""
        return tuple(part if isinstance(part, str) else part.column for part in self.family_parts())

    def binned(self) -> tuple[str, ...]:
        """Columns of numbers that are cut into families."""
        return tuple(part.column for part in self.family_parts() if isinstance(part, BinnedColumn))

    def measured(self) -> tuple[str, ...]:
        """Everything that an evaluation gives, and no policy may see beforehand: by whichever method."""
        return (self.property, *self.additional_properties, *dict.fromkeys(self.fidelities.values()))

    def believed_range(self, name: str) -> tuple[float, float]:
        """Return the smallest and the largest value of a column of numbers that is believed [its unit].

        Of the property it is `valid_range`, or else what most properties stay within; of an additional one everything
        that a message carries, because only a campaign that balances it has a range for it; and so of a feature, whose
        square must be a number.
        """
        if name != self.property:
            return -MAX_ABS_VALUE, MAX_ABS_VALUE
        low, high = self.valid_range or (-USUAL_ABS_VALUE, USUAL_ABS_VALUE)
        return max(low, -MAX_ABS_VALUE), min(high, MAX_ABS_VALUE)


def require_column(path: Path, name: str, names: Sequence[str]) -> str:
    """Return `name` when the file has such a column.

    Raises:
        TableError: With the columns that it has, and the one that was meant.
    """
    if name in names:
        return name
    if looks_like_cells(names):
        raise TableError(
            f"The table {path} has no column {name!r}, for the header is missing: its first line is"
            f" {', '.join(names[:MAX_NAMES_SHOWN])}{', …' if len(names) > MAX_NAMES_SHOWN else ''}",
            expected="a header line with the names of the columns",
            action="write it above the first row",
        )
    raise TableError(
        f"The table {path} has no column {name!r}",
        expected=f"one of {listed(names)}",
        action=did_you_mean(name, names) or "name a column that exists",
    )


def feature_columns(path: Path, columns: TableColumns, names: Sequence[str]) -> tuple[str, ...]:
    """Return the feature columns, globs expanded in file order; a glob takes no column that has another meaning."""
    described = (
        columns.id, *columns.family_columns(), columns.composition, columns.structure, columns.smiles, *columns.factors,
        *columns.labels,
    )  # fmt: skip
    taken = {*described, *columns.measured()}
    found: list[str] = []
    for wanted in columns.feature_patterns():
        matches = [each for each in names if fnmatch.fnmatchcase(each, wanted) and each not in taken]
        if wanted in names or not matches:
            matches = [require_column(path, wanted, names)]
        found += matches
    return tuple(dict.fromkeys(found))


def derives_family(columns: TableColumns, names: Sequence[str]) -> bool:
    """Tell whether families come of the structures, because the file has no column of their name."""
    return columns.structure is not None and DERIVED_FAMILY in columns.family_parts() and DERIVED_FAMILY not in names


def text_columns(path: Path, columns: TableColumns, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of texts; none for a family that is derived from the structure."""
    derives = derives_family(columns, names)
    families = [
        part for part in columns.family_parts() if isinstance(part, str) and not (derives and part == DERIVED_FAMILY)
    ]
    described = (columns.composition, columns.structure, columns.smiles, *columns.factors, *columns.labels)
    wanted = (columns.id, *families, *described)
    return tuple(dict.fromkeys(require_column(path, name, names) for name in wanted if name is not None))
