"""What every structure must be before any calculator sees it.

Calculators trust what they are given: a machine-learned one has a number for everything, and a plausible one for some
nonsense; others divide by zero, or look for neighbours without end. So elements, cell and distances are checked first,
with all periodic images: in a tenth of a millisecond for a small cell, in one for 500 atoms.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.checks import MIN_DISTANCE, MIN_VOLUME_PER_ATOM
from protocols.structures.neighbours import pairs_within
from protocols.wire.limits import MAX_ATOMS
from protocols.wire.messages import FailureReason
from protocols.wire.structure import MAX_CELL_LENGTH, CrystalStructure
from simulators.calculators.choice import CalculatorChoice, require_known_elements
from simulators.evaluator import EvaluationFailed

MAX_VOLUME_PER_ATOM: Final = 5_000.0
"""Most room of an atom [Å³]: a cube of 17 Å, in which none has a neighbour. Beyond it a cell is no crystal's, and lists
of neighbours are mostly of nothing."""

MAX_SYMBOLS_NAMED: Final = 5
"""Most elements that a refusal names."""

Points = NDArray[np.float64]


def require_sound(choice: CalculatorChoice, structure: CrystalStructure) -> None:
    """Refuse what no calculator should be asked about.

    An atom without neighbours is refused only where the calculator has a meaningless number for it
    (`CalculatorChoice.isolation_distance`): a pair potential is right when it says 0.

    Raises:
        EvaluationFailed: INVALID_REQUEST for too many atoms, no numbers, a degenerate cell, or atoms upon each other;
            UNSUPPORTED for elements that the calculator does not know, and isolated atoms that it does not understand.
    """
    count = len(structure.symbols)
    if count > MAX_ATOMS:
        raise _invalid(f"the structure has {count} atoms; at most {MAX_ATOMS} are taken")
    require_known_elements(choice, structure.symbols)
    radii = _covalent_radii(structure.symbols)
    cell = np.array(structure.cell, dtype=np.float64)
    positions = np.array(structure.scaled_positions, dtype=np.float64)
    _require_sound_cell(cell, positions, count)
    reduced, points = _reduced(cell, positions)
    least = _least_distances(choice, radii)
    _require_room_between_images(reduced, float(least.min()), structure)
    _require_apart(reduced, points, least, structure)
    if choice.isolation_distance is not None:
        _require_company(choice.name, reduced, points, choice.isolation_distance, structure)


def _covalent_radii(symbols: tuple[str, ...]) -> Points:
    """Return covalent radii [Å], shape (n,) (B. Cordero et al., Dalton Trans. 2832 (2008), as ASE has them)."""
    from ase.data import atomic_numbers, covalent_radii

    numbers = [atomic_numbers.get(symbol, 0) for symbol in symbols]  # 0 is ASE's own mark for no element
    if not all(numbers):
        unknown = sorted({symbol for symbol, number in zip(symbols, numbers, strict=True) if not number})
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED,
            f"the structure has {', '.join(unknown[:MAX_SYMBOLS_NAMED])}, which is no chemical element; isotopes are"
            " written as their element",
        )
    radii: Points = covalent_radii[numbers]
    return radii


def _require_sound_cell(cell: Points, positions: Points, count: int) -> None:
    """Refuse numbers that are none, and cells that are flat, far too long, too full or too empty."""
    if cell.shape != (3, 3) or positions.shape != (count, 3):
        raise _invalid("the structure does not have three lattice vectors and three coordinates an atom")
    if not (np.isfinite(cell).all() and np.isfinite(positions).all()):
        raise _invalid("the structure has a coordinate that is no finite number")
    if np.abs(cell).max() > MAX_CELL_LENGTH:
        raise _invalid(f"the cell is {np.abs(cell).max():.4g} Å long; at most {MAX_CELL_LENGTH:g} Å along each axis")
    volume = float(abs(np.linalg.det(cell))) / count
    if not MIN_VOLUME_PER_ATOM <= volume <= MAX_VOLUME_PER_ATOM:
        raise _invalid(
            f"the cell has {volume:.3g} Å³ an atom; expected {MIN_VOLUME_PER_ATOM:g} to {MAX_VOLUME_PER_ATOM:g}: it is"
            " flat, far too small or far too large, or its lengths are not in Å"
        )


def _reduced(cell: Points, positions: Points) -> tuple[Points, Points]:
    """Return the same lattice by its shortest vectors, and the atoms in it [Å]: so few images are near, however skewed.

    Reference: P. Q. Nguyen and D. Stehlé, ACM Trans. Algorithms 5, 46 (2009), as ASE has it.
    """
    from ase.geometry import minkowski_reduce

    try:
        shortest, _ = minkowski_reduce(cell)
    except RuntimeError:  # it has not come to an end
        raise _invalid("the cell is so skewed that its shortest vectors are not found") from None
    shortest = np.ascontiguousarray(shortest, dtype=np.float64)
    scaled = positions @ cell @ np.linalg.inv(shortest)
    return shortest, np.ascontiguousarray((scaled % 1.0) @ shortest)


def _least_distances(choice: CalculatorChoice, radii: Points) -> Points:
    """Return half of the least distance of two like atoms, shape (n,) [Å]: of any two it is the sum of theirs."""
    if choice.least_distance is not None:
        return np.full(len(radii), choice.least_distance / 2.0)
    return choice.least_share * radii


def _require_room_between_images(reduced: Points, least: float, structure: CrystalStructure) -> None:
    """Refuse a lattice whose shortest vector is shorter than any two of its atoms may be close: pairs without end."""
    shortest = float(np.linalg.norm(reduced, axis=1).min())
    if shortest < (bound := max(MIN_DISTANCE, 2.0 * least)):
        raise _invalid(
            f"{structure.symbols[0]} is {shortest:.3g} Å from its own image in the next cell; at least {bound:.2f} Å"
            " are expected"
        )


def _require_apart(reduced: Points, points: Points, least: Points, structure: CrystalStructure) -> None:
    """Refuse two atoms, or an atom and an image, that are closer than a bond can be."""
    first, second, _, distances = pairs_within(points, reduced, max(MIN_DISTANCE, 2.0 * float(least.max())))
    if not len(distances):
        return
    bounds = np.maximum(MIN_DISTANCE, least[first] + least[second])
    closest = int(np.argmin(distances / bounds))
    if distances[closest] < bounds[closest]:
        one, other = (structure.symbols[int(each[closest])] for each in (first, second))
        raise _invalid(
            f"{one} and {other} are {distances[closest]:.3g} Å apart; at least {bounds[closest]:.2f} Å are expected of"
            " these two: atoms lie upon each other, or lengths are not in Å"
        )


def _require_company(name: str, reduced: Points, points: Points, distance: float, structure: CrystalStructure) -> None:
    """Refuse an atom that sees no other one."""
    first, *_ = pairs_within(points, reduced, distance)
    alone = np.setdiff1d(np.arange(len(points)), first)
    if len(alone):
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED,
            f"{structure.symbols[int(alone[0])]} has no neighbour within {distance:g} Å: {name!r} has a number for an"
            " isolated atom, and it means nothing",
        )


def _invalid(detail: str) -> EvaluationFailed:
    return EvaluationFailed(FailureReason.INVALID_REQUEST, detail)
