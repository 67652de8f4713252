"""What is read of the text of a structure, and why one cannot be read: the words of all readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from protocols.wire.structure import CrystalStructure

MAX_SAID: Final = 200
"""Longest part of a library's own message in a fault [character]."""


@dataclass(frozen=True, slots=True)
class StructureSettings:
    """What decides how a structure is read.

    Attributes:
        symmetry_tolerance: Distance within which atoms count as symmetric [Å].
        angle_tolerance: The same of angles of the lattice [degree]; negative to go by the distance only.
        limit_s: Longest time for one structure [s].
        with_symmetry: Whether the crystal system is asked for.
    """

    symmetry_tolerance: float = 0.01
    angle_tolerance: float = -1.0
    limit_s: float = 10.0
    with_symmetry: bool = True


@dataclass(frozen=True, slots=True)
class ReadStructure:
    """A structure that can be used.

    Attributes:
        crystal: The crystal.
        format: What it was written in, as the table of formats calls it.
        formula: Reduced formula.
        content: Hexadecimal digits that stay the same however the crystal is written (cell, origin, order, digits).
        crystal_system: By spglib; "" where it was not asked for.
        converted: What was read otherwise than it stands (a second setting of a group, say), as reasons; mostly none.
    """

    crystal: CrystalStructure
    format: str
    formula: str
    content: str
    crystal_system: str = ""
    converted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadStructure:
    """Why a structure cannot be used.

    Attributes:
        reason: Of which kind, without anything of this one: faults are counted by it.
        found: What stands there, as `a CIF ...` in `Column 'cif' has a CIF ... in line 12 of t.csv`.
        expected: What was expected.
        line: Line inside of the text, from 1; 0 where the whole is meant.
    """

    reason: str
    found: str
    expected: str = ""
    line: int = 0


Outcome = ReadStructure | UnreadStructure
"""What comes of the text of a structure."""

ReadStructures = Callable[[Sequence[str], StructureSettings], list[Outcome]]
"""Reads texts, one outcome for each, in their order; the seam for cores and for what is kept between runs."""


def said_by(error: BaseException) -> str:
    """Return what a library says of a fault, in one line of at most `MAX_SAID`; without words, the error's name."""
    return " ".join(str(error).split())[:MAX_SAID] or type(error).__name__
