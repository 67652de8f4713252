"""Readers of structures that do as the text says: what libraries do to a process at their worst.

Texts: `fcc LENGTH` is a crystal, `pid` one whose formula is the number of the process that read it, `compute` for ever
without letting Python in, `wait` for ever, `die`, `raise`, `memory`; anything else is no structure.
"""

from __future__ import annotations

import os
import signal
import threading

from protocols.structures.reading import Outcome, ReadStructure, StructureSettings, UnreadStructure
from protocols.wire.structure import CrystalStructure

NAME = f"{__name__}:read"
DESCRIBE = f"{__name__}:describe"


def read(text: str, settings: StructureSettings) -> Outcome:
    """Do as the text says."""
    order, _, rest = text.partition(" ")
    match order:
        case "fcc":
            length = float(rest)
            cell = ((length, 0.0, 0.0), (0.0, length, 0.0), (0.0, 0.0, length))
            crystal = CrystalStructure(cell=cell, symbols=("Cu",), scaled_positions=((0.0, 0.0, 0.0),))
            return ReadStructure(crystal, "text", "Cu", text, "cubic" if settings.with_symmetry else "")
        case "pid":
            made = read("fcc 3.6", settings)
            assert isinstance(made, ReadStructure)
            return ReadStructure(made.crystal, "text", str(os.getpid()), text)
        case "compute":
            pow(3, 10**9)  # one call of a library's compiled code
        case "wait":
            threading.Event().wait()
        case "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "raise":
            raise RecursionError("the library ran in circles")
        case "memory":
            raise MemoryError
    return UnreadStructure("no structure", f"{text!r}", "fcc LENGTH", line=1)


def describe(crystal: CrystalStructure, symmetry_tolerance: float, angle_tolerance: float) -> list[float]:
    """Return three numbers that tell what they were made with."""
    return [crystal.cell[0][0], symmetry_tolerance, angle_tolerance]
