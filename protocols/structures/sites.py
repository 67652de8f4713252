"""The atoms of a cell as a file states them, before anything is checked; and what counts as the name of an atom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.molecules.smiles import ELEMENTS
from protocols.structures.faults import StructureFault
from protocols.wire.limits import MAX_ATOMS

KNOWN: Final = frozenset(ELEMENTS)
"""Symbols of the elements, as IUPAC writes them."""

ISOTOPES: Final = frozenset({"D", "T"})
"""Symbols of heavy hydrogen: read as hydrogen, D2O would be H2O."""

_SPECIES: Final = re.compile(r"([A-Z][a-z]?)(?:\d*\.?\d*[+-]|[+-]?\d+\.?\d*)?")
"""A symbol, perhaps with its oxidation state: `Fe`, `Fe3+`, `O2-`, `Fe+3`, `Fe2.5+`."""

OCCUPANCY_TOLERANCE: Final = 1e-3
"""How far from 1 an occupancy may be written: what three digits cannot tell apart."""

OXIDATION_STRIPPED: Final = "oxidation states are left out"
"""Note of a structure that states them."""


@dataclass(frozen=True, slots=True)
class Sites:
    """The atoms of one cell.

    Attributes:
        symbols: Chemical symbols, n.
        cell: Lattice vectors as rows, shape (3, 3) [Å].
        positions: Fractional coordinates, shape (n, 3); any multiple of a lattice vector may be in them.
        notes: What was read otherwise than it stands.
        lines: Line of the text that each atom is of, n; none where lines are no help.
    """

    symbols: tuple[str, ...]
    cell: NDArray[np.float64]
    positions: NDArray[np.float64]
    notes: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()


def element_of(text: str, what: str, line: int = 0) -> tuple[str, bool]:
    """Return the element that a file names, and whether it states an oxidation state.

    Args:
        text: As it stands.
        what: Which file it is in, with its article, for the fault.
        line: Line inside of the text.

    Raises:
        StructureFault: When it names no element, or an isotope, or a dummy.
    """
    match = _SPECIES.fullmatch(text)
    symbol = match[1] if match else ""
    if symbol in KNOWN:
        return symbol, symbol != text
    if symbol in ISOTOPES:
        raise StructureFault(
            "holds heavy hydrogen",
            f"{what} with the isotope {text!r}",
            "H, if a calculation of hydrogen is meant: isotopes are not told apart",
            line,
        )
    raise StructureFault(
        "an atom is no element",
        f"{what} with the atom {text[:20]!r}",
        "a symbol of an element as IUPAC writes it (no dummy atom, no vacancy, no label, no group)",
        line,
    )


def check_occupancy(value: float, what: str, line: int = 0) -> None:
    """Check that a site is wholly occupied by one element.

    Raises:
        StructureFault: When it is not.
    """
    if abs(value - 1.0) > OCCUPANCY_TOLERANCE:
        raise StructureFault(
            "sites are partially occupied",
            f"{what} with a site of occupancy {value:g}",
            "an ordered crystal: one element a site, and each site occupied",
            line,
        )


def array_of(value: Any, shape: tuple[int, ...], what: str, name: str) -> NDArray[np.float64]:
    """Return numbers as an array; -1 in the shape stands for any length.

    Args:
        value: Lists of numbers.
        shape: What it must have.
        what: Which file it is in, with its article, for the fault.
        name: How the file calls it.

    Raises:
        StructureFault: When it is anything else, or not finite.
    """
    try:
        array = np.zeros([max(0, length) for length in shape]) if value == [] else np.array(value)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    fits = array.ndim == len(shape) and all(b in {-1, a} for a, b in zip(array.shape, shape, strict=True))
    if not fits or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        wanted = " by ".join("n" if length < 0 else str(length) for length in shape)
        raise StructureFault(
            "coordinates or cell are no numbers",
            f"{what} whose {name} is not {wanted} finite numbers",
            f"{name} with {wanted} numbers",
        )
    return np.asarray(array, dtype=np.float64)


def fractional(cartesian: NDArray[np.float64], cell: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    """Return fractional coordinates, shape (n, 3), of Cartesian ones [Å].

    Raises:
        StructureFault: When the cell is flat.
    """
    try:
        return np.asarray(np.linalg.solve(cell.T, cartesian.T).T, dtype=np.float64)
    except np.linalg.LinAlgError:
        raise StructureFault(*flat(what, 0.0)) from None


def flat(what: str, volume: float) -> tuple[str, str, str]:
    """Return what is wrong with a cell that holds no room [Å³]."""
    return (
        "the cell is flat",
        f"{what} whose cell has a volume of {volume:.3g} Å³",
        "three lattice vectors in Å that span a cell",
    )


def check_count(symbols: Sequence[str], positions: NDArray[np.float64], what: str) -> None:
    """Check that each atom has a place, and that there are neither none nor too many.

    Raises:
        StructureFault: When it is otherwise.
    """
    if len(symbols) != len(positions):
        raise StructureFault(
            "atoms and coordinates differ in number",
            f"{what} with {len(symbols)} atoms and {len(positions)} coordinates",
            "as many of both",
        )
    if not symbols:
        raise StructureFault("has no atoms", f"{what} without atoms", "at least one atom")
    if len(symbols) > MAX_ATOMS:
        raise StructureFault(
            "has too many atoms",
            f"{what} with {len(symbols)} atoms in its cell",
            f"at most {MAX_ATOMS} atoms; the primitive cell may be smaller",
        )
