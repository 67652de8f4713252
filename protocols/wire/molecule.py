"""The molecule that a request carries: its SMILES, and atoms with coordinates where somebody has them.

Only shapes and bounds are checked here. What a SMILES means is read in `protocols.molecules`, and whether a lab can
measure it is the lab's to say.
"""

from __future__ import annotations

from math import dist
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.wire.limits import MAX_ATOMS, MAX_SMILES_LENGTH
from protocols.wire.structure import Symbol, Vector

if TYPE_CHECKING:
    from ase import Atoms

MIN_DISTANCE: Final = 0.5
"""Nearest that two atoms of a molecule may be [Å]. The shortest bond, that of H2, has 0.74; and a calculator gives a
number for atoms on top of each other."""

SMILES_PATTERN: Final = r"^[!-~]+$"
"""A SMILES is printable ASCII without spaces."""


Smiles = Annotated[str, Field(pattern=SMILES_PATTERN, max_length=MAX_SMILES_LENGTH)]


class MoleculeGeometry(BaseModel):
    """Where the atoms of a molecule are, hydrogens included."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=MAX_ATOMS)]
    """Chemical symbols, one an atom."""
    positions: Annotated[tuple[Vector, ...], Field(min_length=1, max_length=MAX_ATOMS)]
    """Cartesian coordinates, three an atom [Å], in the order of `symbols`."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.symbols) != len(self.positions):
            message = f"{len(self.symbols)} symbols but {len(self.positions)} positions"
            raise ValueError(message)
        if (distance := _nearest_distance(self.positions)) < MIN_DISTANCE:
            message = f"two atoms are {distance:.3g} Å apart; expected at least {MIN_DISTANCE:g} Å"
            raise ValueError(message)
        return self

    def to_ase(self) -> Atoms:
        """Return the molecule as `ase.Atoms`, not periodic."""
        from ase import Atoms

        return Atoms(symbols=list(self.symbols), positions=self.positions)


class Molecule(BaseModel):
    """A molecule, by its SMILES."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    smiles: Smiles
    """Its SMILES, which says what is bonded to what."""
    geometry: MoleculeGeometry | None = None
    """Where its atoms are; null or absent where the lab is to find that itself."""


def _nearest_distance(positions: tuple[Vector, ...]) -> float:
    """Return the smallest distance of two atoms [Å], or `MIN_DISTANCE` where all are at least so far apart."""
    ordered = sorted(positions)
    nearest = MIN_DISTANCE
    for number, one in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if other[0] - one[0] >= nearest:
                break
            nearest = min(nearest, dist(one, other))
    return nearest
