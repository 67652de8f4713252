"""Which crystals a pool holds that is made on the spot, for any calculator."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from protocols.tables.format import TableFormat
from protocols.wire.limits import MAX_ATOMS

MAX_CRYSTALS: Final = 100_000
"""Most crystals that one generator makes: about a quarter of an hour on one core."""

LARGEST_STRAIN: Final = 0.2
"""Largest normal strain: beyond it a crystal is another one."""

MAX_ORDERED_ATOMS: Final = 16
"""Most atoms of an ordered cell: an fcc lattice of 16 atoms has 4,464 cells, and each two to the 16 colourings."""

MAX_ELEMENTS: Final = 118
"""Most elements that can be named."""

CrystalSystem = Literal["cubic", "hexagonal", "monoclinic", "orthorhombic", "tetragonal", "triclinic", "trigonal"]
OrderedLattice = Literal["fcc", "bcc", "hcp", "sc", "diamond"]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(strict=False, max_length=MAX_ELEMENTS)]
Amount = Annotated[int, Field(ge=0, le=MAX_CRYSTALS)]
Strain = Annotated[float, Field(ge=0, le=LARGEST_STRAIN)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SubstitutionSettings(TableFormat):
    """Crystals that are made of given ones by other elements."""

    path: Text
    """The parents: a table with a column of structures, a file of one structure (POSCAR, CIF, extended xyz, JSON), or a
    folder of such files."""
    structure: Text = "structure"
    """Column of the structures, where it is a table."""
    number: Annotated[int, Field(ge=1, le=MAX_CRYSTALS)] = 100
    """Crystals to make."""
    kept: Texts = ()
    """Elements of the parents that stay; every other becomes one of pool.crystals.elements."""
    strain: Strain = 0.0
    """Largest normal strain; 0 keeps the parents' shape and symmetry."""


class OrderingSettings(_Settings):
    """Ordered alloys: cells of a lattice of several of its atoms, with the elements on them in every order."""

    lattices: Annotated[tuple[OrderedLattice, ...], Field(strict=False, min_length=1)] = ("fcc", "bcc")
    """Lattices that the atoms stand on."""
    atoms: Annotated[int, Field(ge=2, le=MAX_ORDERED_ATOMS)] = 6
    """Most atoms of a cell."""
    number: Annotated[int, Field(ge=1, le=MAX_CRYSTALS)] = 100
    """Crystals to make."""
    strain: Strain = 0.0
    """Largest normal strain; 0 keeps the lattice ideal."""


class RandomSettings(_Settings):
    """Random crystals of given space groups, by the extra `pyxtal`."""

    number: Annotated[int, Field(ge=1, le=MAX_CRYSTALS)] = 100
    """Crystals to make."""
    families: Annotated[tuple[CrystalSystem, ...], Field(strict=False)] = ()
    """Crystal systems whose space groups are drawn; empty: those of pool.crystals.families, or all seven."""
    groups: Annotated[tuple[Annotated[int, Field(ge=1, le=230)], ...], Field(strict=False)] = ()
    """Space groups to draw from, in place of families."""
    compositions: Texts = ()
    """Formulas to draw from, such as `SiO2`; empty: one to three of pool.crystals.elements, in small amounts."""
    atoms: Annotated[int, Field(ge=1, le=min(100, MAX_ATOMS))] = 12
    """Most atoms of a conventional cell; a formula is repeated up to it."""
    tries: Annotated[int, Field(ge=1, le=100)] = 10
    """Draws for each crystal that is wanted; what fails is counted and told."""
    limit_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """Longest processor time of one draw [s]."""


class CrystalsSettings(_Settings):
    """Crystals that are made on the spot: of prototypes, of given crystals, ordered, and at random."""

    elements: Annotated[Texts, Field(min_length=1)]
    """Elements that the crystals are made of; the calculator must know them."""
    prototypes: Texts = ()
    """Names, such as `rocksalt` or `B1`; empty: all whose sublattices the elements can fill."""
    sublattices: dict[Literal["A", "B", "C"], Texts] = Field(default_factory=dict)
    """Elements of one sublattice of the prototypes, in place of `elements`: C = ["O"] for the anion of perovskite."""
    number: Amount = 200
    """Crystals to make of prototypes, as evenly over the families as they can be; 0: none."""
    families: Annotated[tuple[CrystalSystem, ...], Field(strict=False)] = ()
    """Crystal systems that are wanted; empty: all seven."""
    strain: Strain = 0.1
    """Largest normal strain of prototypes; shear and displacements follow it, so that all seven systems occur. With 0
    prototypes stay ideal, and a family without one has no crystals."""
    substitutions: SubstitutionSettings | None = None
    """Crystals made of given ones by other elements."""
    orderings: OrderingSettings | None = None
    """Ordered alloys."""
    random: RandomSettings | None = None
    """Random crystals, by the extra `pyxtal`."""
    calculated: bool = False
    """Whether the scenario's calculator computes every candidate in advance, so that start sets can be drawn and
    policies compared. For calculators that take milliseconds."""

    @field_validator("elements", "prototypes", "families")
    @classmethod
    def _once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(given)) < len(given):
            message = f"one is named twice: {', '.join(given)}"
            raise ValueError(message)
        return given

    @model_validator(mode="after")
    def _makes_something(self) -> Self:
        if not self.number and not (self.substitutions or self.orderings or self.random):
            message = (
                "number = 0 makes no crystals of prototypes, and there are no substitutions, orderings or random ones"
            )
            raise ValueError(message)
        return self
