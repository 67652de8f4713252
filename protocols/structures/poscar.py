"""Reads the text of a POSCAR or CONTCAR of VASP 5 and later, whose sixth line names the elements."""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.faults import StructureFault
from protocols.structures.formats import POSCAR, name_of
from protocols.structures.sites import Sites, check_count, element_of, fractional

WHAT: Final = name_of(POSCAR)
"""What faults call it."""

AXES: Final = 3
"""Coordinates of an atom, and numbers of a line of the cell."""

MAX_COUNT: Final = 10**6
"""Largest number of atoms that is counted at all; what a crystal may have is much less."""


def read_poscar(text: str) -> Sites:
    """Return the atoms of a POSCAR.

    Raises:
        StructureFault: When it is damaged, or of VASP 4, which does not name the elements.
    """
    lines = [*text.split("\n"), "", "", "", ""]
    vectors = np.array([_numbers(lines, at)[:3] for at in (2, 3, 4)])
    scale = _scale(vectors, _numbers(lines, 1))
    cell = vectors * scale
    names = lines[5].split()
    if names and all(name.isdecimal() for name in names):
        raise _fault(
            "the elements are not named", "without a line of elements (VASP 4)", "them in line 6, as VASP 5", 6
        )
    symbols = _symbols(names, lines[6].split())
    at = 8 if lines[7].strip()[:1] in {"S", "s"} else 7
    mode = lines[at].strip()[:1].lower()
    if mode not in {"d", "c", "k"}:
        raise _fault("the kind of coordinates is not told", f"with {lines[at][:20]!r}", "Direct or Cartesian", at + 1)
    first = at + 1
    if len(lines) < first + len(symbols):
        raise _fault("coordinates are missing", f"of {len(symbols)} atoms and fewer lines", "a line for each atom")
    coordinates = np.array([_place(lines, first + atom, symbol) for atom, symbol in enumerate(symbols)])
    after = lines[first + len(symbols)]
    if re.match(r"\s*[+-]?[\d.]+\s+[+-]?[\d.]+\s+[+-]?[\d.]+", after):
        raise _fault(
            "atoms and coordinates differ in number",
            f"of {len(symbols)} atoms with further coordinates",
            "as many coordinates as line 7 says, then a blank line",
            first + len(symbols) + 1,
        )
    if any(line.strip().lower().startswith("direct configuration") for line in lines[first + len(symbols) :]):
        raise _fault(
            "several structures in one cell", "with several configurations (XDATCAR)", "one structure in a cell"
        )
    positions = coordinates if mode == "d" else fractional(coordinates * scale, cell, WHAT)
    return Sites(symbols, cell, positions, lines=tuple(range(first + 1, first + 1 + len(symbols))))


def _scale(vectors: NDArray[np.float64], numbers: list[float]) -> float | NDArray[np.float64]:
    """Return what line 2 multiplies vectors and places by: its number, or one for each axis, or what makes a volume."""
    if len(numbers) == AXES:
        if min(numbers) <= 0.0:
            raise _fault("the scale is no length", "whose three scales are not above 0", "lengths above 0", 2)
        return np.array(numbers)
    if numbers[0] == 0.0:
        raise _fault("the scale is no length", "whose scale is 0", "a factor, or minus the volume in Å³", 2)
    volume = abs(float(np.linalg.det(vectors)))
    if numbers[0] < 0.0 and volume > 0.0:
        return math.cbrt(-numbers[0] / volume)
    return abs(numbers[0])


def _symbols(names: list[str], counts: list[str]) -> tuple[str, ...]:
    """Return the element of each atom; of `Fe_pv` and `Fe/1a2b3c`, as VASP writes its potentials, the element."""
    if not names or len(names) != len(counts) or not all(count.isdecimal() for count in counts):
        raise _fault(
            "atoms and coordinates differ in number",
            f"with the elements {' '.join(names)[:40]!r} and the numbers {' '.join(counts)[:40]!r}",
            "a number for each element",
            7,
        )
    elements = [element_of(re.split(r"[_/]", name)[0], WHAT, 6)[0] for name in names]
    numbers = [min(int(count), MAX_COUNT) for count in counts]
    total = min(sum(numbers), MAX_COUNT)
    check_count([""] * total, np.zeros(total), WHAT)
    return tuple(element for element, number in zip(elements, numbers, strict=True) for _ in range(number))


def _numbers(lines: list[str], at: int) -> list[float]:
    """Return the numbers of a line up to the first word."""
    numbers = []
    for word in lines[at].replace("D", "E").replace("d", "e").split():
        try:
            numbers.append(float(word))
        except ValueError:
            break
    if not all(math.isfinite(number) for number in numbers):
        raise _fault("coordinates or cell are no numbers", f"with {lines[at].strip()[:40]!r}", "finite numbers", at + 1)
    return numbers


def _place(lines: list[str], at: int, symbol: str) -> list[float]:
    """Return the coordinates of an atom, whose line may end with flags and its element."""
    numbers = _numbers(lines, at)[:3]
    if len(numbers) < AXES:
        raise _fault(
            "coordinates or cell are no numbers",
            f"with {lines[at].strip()[:40]!r}",
            "three coordinates of an atom",
            at + 1,
        )
    last = lines[at].split()[-1]
    if last not in {"T", "F"} and last.isalpha() and last != symbol:
        raise _fault(
            "an element contradicts line 6",
            f"with {last!r} for an atom of {symbol}",
            "the order of lines 6 and 7",
            at + 1,
        )
    return numbers


def _fault(reason: str, found: str, expected: str, line: int = 0) -> StructureFault:
    return StructureFault(reason, f"{WHAT} {found}", expected, line)
