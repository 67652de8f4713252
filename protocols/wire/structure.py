"""The crystal structure that a request carries: enough for ASE and pymatgen, and nothing that could run code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.wire.limits import MAX_ATOMS

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core import Structure

MAX_CELL_LENGTH: float = 1000.0
"""Longest lattice-vector component [Å]; beyond it a cell is a fault."""

MIN_CELL_VOLUME: float = 1e-3
"""Smallest cell volume [Å³]; below it a cell is degenerate."""

Component = Annotated[float, Field(ge=-MAX_CELL_LENGTH, le=MAX_CELL_LENGTH)]
Vector = tuple[Component, Component, Component]
ScaledPosition = tuple[
    Annotated[float, Field(ge=-1, le=2)], Annotated[float, Field(ge=-1, le=2)], Annotated[float, Field(ge=-1, le=2)]
]
Symbol = Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]


class CrystalStructure(BaseModel):
    """A periodic crystal, in the words of `ase.Atoms`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    cell: tuple[Vector, Vector, Vector]
    """Lattice vectors as rows, 3 by 3 [Å]."""
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=MAX_ATOMS)]
    """Chemical symbols, one an atom."""
    scaled_positions: Annotated[tuple[ScaledPosition, ...], Field(min_length=1, max_length=MAX_ATOMS)]
    """Fractional coordinates, three an atom, in the order of `symbols`."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.symbols) != len(self.scaled_positions):
            message = f"{len(self.symbols)} symbols but {len(self.scaled_positions)} positions"
            raise ValueError(message)
        if self.volume < MIN_CELL_VOLUME:
            message = f"the cell has a volume of {self.volume:.3g} Å³: it is flat or left empty"
            raise ValueError(message)
        return self

    @property
    def volume(self) -> float:
        """Cell volume [Å³]."""
        a, b, c = self.cell
        cross = (b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0])
        return abs(a[0] * cross[0] + a[1] * cross[1] + a[2] * cross[2])

    def to_ase(self) -> Atoms:
        """Return the crystal as `ase.Atoms`, periodic in all directions."""
        from ase import Atoms

        return Atoms(symbols=list(self.symbols), scaled_positions=self.scaled_positions, cell=self.cell, pbc=True)

    def to_pymatgen(self) -> Structure:
        """Return the crystal as `pymatgen.core.Structure`."""
        from pymatgen.core import Structure

        return Structure(self.cell, list(self.symbols), self.scaled_positions)

    @classmethod
    def from_ase(cls, atoms: Atoms, decimals: int = 8) -> Self:
        """Make one of periodic atoms, rounded as in `from_pymatgen`.

        Raises:
            ValidationError: When a number is not finite, or the cell is beyond what a message carries.
        """
        cell = tuple(tuple(round(float(x), decimals) + 0.0 for x in row) for row in atoms.cell)
        positions = tuple(
            tuple(round(float(x) % 1.0, decimals) % 1.0 + 0.0 for x in row) for row in atoms.get_scaled_positions()
        )
        symbols = tuple(atoms.get_chemical_symbols())
        return cls.model_validate({"cell": cell, "symbols": symbols, "scaled_positions": positions})

    @classmethod
    def from_pymatgen(cls, structure: Structure, decimals: int = 8) -> Self:
        """Make one of an ordered pymatgen structure, rounded so that the same crystal gives the same bytes.

        Args:
            structure: An ordered structure.
            decimals: Decimal places kept [Å and cell fraction]; 8 is far below any physical meaning and above
                the last bits in which platforms differ.
        """
        cell = tuple(tuple(round(float(x), decimals) + 0.0 for x in row) for row in structure.lattice.matrix)
        positions = tuple(
            tuple(round(float(x) % 1.0, decimals) % 1.0 + 0.0 for x in site.frac_coords) for site in structure
        )
        symbols = tuple(site.specie.symbol for site in structure)
        return cls.model_validate({"cell": cell, "symbols": symbols, "scaled_positions": positions})
