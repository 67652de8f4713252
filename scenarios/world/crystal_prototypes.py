"""Crystal prototypes, as a table that a reader can check against the Strukturbericht.

Source of the structures: the AFLOW library of crystallographic prototypes (M. J. Mehl et al., Comput. Mater. Sci. 136,
S1 (2017)) and the papers that it cites; internal coordinates are those of the type compound, or of the close packing
that it is an order of.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Lattice = Literal["cubic", "tetragonal", "orthorhombic", "hexagonal", "trigonal"]
FloatArray = NDArray[np.float64]

_CENTRINGS: Final = {
    "P": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "I": ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5)),
    "F": ((0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)),
    "C": ((0.5, -0.5, 0), (0.5, 0.5, 0), (0, 0, 1)),
    "R": ((2 / 3, 1 / 3, 1 / 3), (-1 / 3, 1 / 3, 1 / 3), (-1 / 3, -2 / 3, 1 / 3)),
}
"""Primitive vectors as rows, in the axes of the conventional cell (obverse setting for R)."""


@dataclass(frozen=True, slots=True)
class Prototype:
    """One kind of crystal, of its conventional cell.

    Attributes:
        name: Strukturbericht symbol, or the type compound.
        lattice: Crystal system of the ideal prototype.
        centring: P, I, F, C or R.
        ratios: b/a and c/a.
        sites: A label and conventional coordinates of every atom of the primitive cell, separated by bars.
    """

    name: str
    lattice: Lattice
    centring: str
    ratios: tuple[float, float]
    sites: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each atom: equal labels, equal element."""
        return tuple(site.split()[0] for site in self.sites.split("|"))

    def cell(self) -> FloatArray:
        """Return primitive vectors as rows, shape (3, 3) [a]; x along a, z along c."""
        b, c = self.ratios
        conventional = np.diag([1.0, b, c])
        if self.lattice in ("hexagonal", "trigonal"):
            conventional[1] = (-0.5, 0.75**0.5, 0.0)
        primitive: FloatArray = np.array(_CENTRINGS[self.centring]) @ conventional
        return primitive

    def positions(self) -> FloatArray:
        """Return fractional coordinates in the primitive cell, shape (n, 3)."""
        conventional = np.array([[float(Fraction(x)) for x in site.split()[1:]] for site in self.sites.split("|")])
        primitive: FloatArray = conventional @ np.linalg.inv(np.array(_CENTRINGS[self.centring]))
        return primitive


_A15 = "0 1/2 1/4|{0} 0 1/2 3/4|{0} 1/4 0 1/2|{0} 3/4 0 1/2|{0} 1/2 1/4 0|{0} 1/2 3/4 0"
_HCP_ORDER = (
    "A 1/4 1/4 1/6|A 3/4 3/4 5/6|B 3/4 1/4 1/6|B 1/4 3/4 5/6|B 0 1/4 2/3|B 1/2 1/4 2/3|B 0 3/4 1/3|B 1/2 3/4 1/3"
)
_FEB = "A 0.18 1/4 0.125|A 0.32 3/4 0.625|A 0.82 3/4 0.875|A 0.68 1/4 0.375"
_FEB_B = "B 0.036 1/4 0.61|B 0.464 3/4 0.11|B 0.964 3/4 0.39|B 0.536 1/4 0.89"
_NI3SN = "B 5/6 2/3 1/4|B 1/3 1/6 1/4|B 5/6 1/6 1/4|B 1/6 1/3 3/4|B 2/3 5/6 3/4|B 1/6 5/6 3/4"

PROTOTYPES: Final[tuple[Prototype, ...]] = (
    Prototype("A1", "cubic", "F", (1, 1), "A 0 0 0"),
    Prototype("A2", "cubic", "I", (1, 1), "A 0 0 0"),
    Prototype("A_h", "cubic", "P", (1, 1), "A 0 0 0"),
    Prototype("A4", "cubic", "F", (1, 1), "A 0 0 0|A 1/4 1/4 1/4"),
    Prototype("A15 pure", "cubic", "P", (1, 1), "A 0 0 0|A 1/2 1/2 1/2|A " + _A15.format("A")),
    Prototype("A15", "cubic", "P", (1, 1), "A 0 0 0|A 1/2 1/2 1/2|B " + _A15.format("B")),
    Prototype("B1", "cubic", "F", (1, 1), "A 0 0 0|B 1/2 1/2 1/2"),
    Prototype("B2", "cubic", "P", (1, 1), "A 0 0 0|B 1/2 1/2 1/2"),
    Prototype("B3", "cubic", "F", (1, 1), "A 0 0 0|B 1/4 1/4 1/4"),
    Prototype("B32", "cubic", "F", (1, 1), "A 0 0 0|A 1/4 1/4 1/4|B 1/2 1/2 1/2|B 3/4 3/4 3/4"),
    Prototype("C1", "cubic", "F", (1, 1), "A 0 0 0|B 1/4 1/4 1/4|B 3/4 3/4 3/4"),
    Prototype(
        "C15",
        "cubic",
        "F",
        (1, 1),
        "A 1/8 1/8 1/8|A 7/8 7/8 7/8|B 1/2 1/2 1/2|B 1/2 1/4 1/4|B 1/4 1/2 1/4|B 1/4 1/4 1/2",
    ),
    Prototype("L1_2", "cubic", "P", (1, 1), "A 0 0 0|B 1/2 1/2 0|B 1/2 0 1/2|B 0 1/2 1/2"),
    Prototype("D0_3", "cubic", "F", (1, 1), "A 0 0 0|B 1/2 1/2 1/2|B 1/4 1/4 1/4|B 3/4 3/4 3/4"),
    Prototype("L2_1", "cubic", "F", (1, 1), "A 0 0 0|B 1/2 1/2 1/2|C 1/4 1/4 1/4|C 3/4 3/4 3/4"),
    Prototype("XA", "cubic", "F", (1, 1), "A 0 0 0|A 1/4 1/4 1/4|B 1/2 1/2 1/2|C 3/4 3/4 3/4"),
    Prototype("C1_b", "cubic", "F", (1, 1), "A 0 0 0|B 1/4 1/4 1/4|C 1/2 1/2 1/2"),
    Prototype("A5", "tetragonal", "I", (1, 0.546), "A 0 0 0|A 0 1/2 1/4"),
    Prototype("L1_0", "tetragonal", "P", (1, 1.414), "A 0 0 0|B 1/2 1/2 1/2"),
    Prototype("B10", "tetragonal", "P", (1, 1.0), "A 0 0 0|A 1/2 1/2 0|B 0 1/2 0.3|B 1/2 0 0.7"),
    Prototype("B11", "tetragonal", "P", (1, 1.9), "A 0 1/2 0.1|A 1/2 0 0.9|B 0 1/2 0.65|B 1/2 0 0.35"),
    Prototype("C11_b", "tetragonal", "I", (1, 2.7), "A 0 0 0|B 0 0 1/3|B 0 0 2/3"),
    Prototype("L6_0", "tetragonal", "P", (1, 1.1), "A 0 0 0|B 1/2 1/2 0|B 1/2 0 1/2|B 0 1/2 1/2"),
    Prototype("D0_22", "tetragonal", "I", (1, 2.0), "A 0 0 0|B 1/2 1/2 0|B 0 1/2 1/4|B 1/2 0 1/4"),
    Prototype(
        "D0_23",
        "tetragonal",
        "I",
        (1, 4.0),
        "A 0 0 1/8|A 0 0 7/8|B 0 1/2 0|B 1/2 0 0|B 0 1/2 1/4|B 1/2 0 1/4|B 0 0 3/8|B 0 0 5/8",
    ),
    Prototype("C11_b ABC", "tetragonal", "I", (1, 2.7), "A 0 0 0|B 0 0 1/3|C 0 0 2/3"),
    Prototype("L1_0 ABAC", "tetragonal", "P", (1, 2.83), "A 0 0 0|B 1/2 1/2 1/4|A 0 0 1/2|C 1/2 1/2 3/4"),
    Prototype("A20", "orthorhombic", "C", (2.06, 1.736), "A 0 0.1 1/4|A 0 0.9 3/4"),
    Prototype("B19", "orthorhombic", "P", (0.612, 1.061), "A 1/4 0 1/6|A 3/4 0 5/6|B 1/4 1/2 2/3|B 3/4 1/2 1/3"),
    Prototype("B27", "orthorhombic", "P", (0.536, 0.738), _FEB + "|" + _FEB_B),
    Prototype("B33", "orthorhombic", "C", (2.65, 0.99), "A 0 0.146 1/4|A 0 0.854 3/4|B 0 0.44 1/4|B 0 0.56 3/4"),
    Prototype("MoPt2", "orthorhombic", "I", (3.0, 1.414), "A 0 0 0|B 0 1/3 0|B 0 2/3 0"),
    Prototype("D0_a", "orthorhombic", "P", (0.816, 0.866), _HCP_ORDER),
    Prototype("hcp ABC", "orthorhombic", "P", (0.612, 1.061), "A 1/4 0 1/6|B 3/4 0 5/6|C 1/4 1/2 2/3|C 3/4 1/2 1/3"),
    Prototype("A3", "hexagonal", "P", (1, 1.633), "A 1/3 2/3 1/4|A 2/3 1/3 3/4"),
    Prototype("A3'", "hexagonal", "P", (1, 3.266), "A 0 0 0|A 0 0 1/2|A 1/3 2/3 1/4|A 2/3 1/3 3/4"),
    Prototype("A_f", "hexagonal", "P", (1, 1.0), "A 0 0 0"),
    Prototype("omega", "hexagonal", "P", (1, 0.612), "A 0 0 0|A 1/3 2/3 1/2|A 2/3 1/3 1/2"),
    Prototype("B_h", "hexagonal", "P", (1, 1.3), "A 0 0 0|B 1/3 2/3 1/2"),
    Prototype("B4", "hexagonal", "P", (1, 1.633), "A 1/3 2/3 0|A 2/3 1/3 1/2|B 1/3 2/3 3/8|B 2/3 1/3 7/8"),
    Prototype("B8_1", "hexagonal", "P", (1, 1.5), "A 0 0 0|A 0 0 1/2|B 1/3 2/3 1/4|B 2/3 1/3 3/4"),
    Prototype("dhcp AB", "hexagonal", "P", (1, 3.266), "A 0 0 0|A 0 0 1/2|B 1/3 2/3 1/4|B 2/3 1/3 3/4"),
    Prototype(
        "B8_2",
        "hexagonal",
        "P",
        (1, 1.25),
        "A 0 0 0|A 0 0 1/2|B 1/3 2/3 1/4|B 2/3 1/3 3/4|A 1/3 2/3 3/4|A 2/3 1/3 1/4",
    ),
    Prototype(
        "BeZrSi",
        "hexagonal",
        "P",
        (1, 1.25),
        "A 0 0 0|A 0 0 1/2|B 1/3 2/3 1/4|B 2/3 1/3 3/4|C 1/3 2/3 3/4|C 2/3 1/3 1/4",
    ),
    Prototype("C32", "hexagonal", "P", (1, 0.8), "A 0 0 0|B 1/3 2/3 1/2|B 2/3 1/3 1/2"),
    Prototype("D0_19", "hexagonal", "P", (1, 0.8165), "A 1/3 2/3 1/4|A 2/3 1/3 3/4|" + _NI3SN),
    Prototype(
        "D2_d", "hexagonal", "P", (1, 0.8), "A 0 0 0|B 1/3 2/3 0|B 2/3 1/3 0|B 1/2 0 1/2|B 0 1/2 1/2|B 1/2 1/2 1/2"
    ),
    Prototype(
        "PrNi2Al3", "hexagonal", "P", (1, 0.8), "A 0 0 0|B 1/3 2/3 0|B 2/3 1/3 0|C 1/2 0 1/2|C 0 1/2 1/2|C 1/2 1/2 1/2"
    ),
    Prototype("A7", "trigonal", "R", (1, 2.6), "A 0 0 0.227|A 0 0 0.773"),
    Prototype("C19 pure", "trigonal", "R", (1, 7.35), "A 0 0 0|A 0 0 2/9|A 0 0 7/9"),
    Prototype("C19", "trigonal", "R", (1, 7.35), "A 0 0 0|B 0 0 2/9|B 0 0 7/9"),
    Prototype("L1_1", "trigonal", "R", (1, 4.899), "A 0 0 0|B 0 0 1/2"),
    Prototype("C6", "trigonal", "P", (1, 1.7), "A 0 0 0|B 1/3 2/3 1/4|B 2/3 1/3 3/4"),
    Prototype("fcc ABB", "trigonal", "P", (1, 2.449), "A 0 0 0|B 1/3 2/3 1/3|B 2/3 1/3 2/3"),
    Prototype("fcc ABC", "trigonal", "P", (1, 2.449), "A 0 0 0|B 1/3 2/3 1/3|C 2/3 1/3 2/3"),
    Prototype(
        "D5_13", "trigonal", "P", (1, 1.22), "A 0 0 0|A 1/3 2/3 0.65|A 2/3 1/3 0.35|B 1/3 2/3 0.15|B 2/3 1/3 0.85"
    ),
    Prototype(
        "Ce2SO2", "trigonal", "P", (1, 1.22), "A 0 0 0|B 1/3 2/3 0.65|B 2/3 1/3 0.35|C 1/3 2/3 0.15|C 2/3 1/3 0.85"
    ),
)
"""Every prototype has at most 8 atoms in its primitive cell, so that an evaluation stays within milliseconds."""

FURTHER_PROTOTYPES: Final[tuple[Prototype, ...]] = (
    Prototype("E2_1", "cubic", "P", (1, 1), "A 0 0 0|B 1/2 1/2 1/2|C 1/2 1/2 0|C 1/2 0 1/2|C 0 1/2 1/2"),
    Prototype("D0_9", "cubic", "P", (1, 1), "A 0 0 0|B 1/2 0 0|B 0 1/2 0|B 0 0 1/2"),
    Prototype(
        "C3", "cubic", "P", (1, 1), "A 0 0 0|A 1/2 1/2 1/2|B 1/4 1/4 1/4|B 3/4 3/4 1/4|B 3/4 1/4 3/4|B 1/4 3/4 3/4"
    ),
    Prototype(
        "C4",
        "tetragonal",
        "P",
        (1, 0.644),
        "A 0 0 0|A 1/2 1/2 1/2|B 0.305 0.305 0|B 0.695 0.695 0|B 0.195 0.805 1/2|B 0.805 0.195 1/2",
    ),
    Prototype(
        "E1_1",
        "tetragonal",
        "I",
        (1, 1.97),
        "A 0 0 0|A 0 1/2 1/4|B 0 0 1/2|B 0 1/2 3/4|C 0.257 1/4 1/8|C 0.743 3/4 1/8|C 3/4 0.257 7/8|C 1/4 0.743 7/8",
    ),
    Prototype("A9", "hexagonal", "P", (1, 2.72), "A 0 0 1/4|A 0 0 3/4|A 1/3 2/3 1/4|A 2/3 1/3 3/4"),
    Prototype("B_k", "hexagonal", "P", (1, 2.66), "A 1/3 2/3 1/4|A 2/3 1/3 3/4|B 1/3 2/3 3/4|B 2/3 1/3 1/4"),
    Prototype(
        "C7",
        "hexagonal",
        "P",
        (1, 3.89),
        "A 1/3 2/3 1/4|A 2/3 1/3 3/4|B 1/3 2/3 0.621|B 2/3 1/3 0.379|B 2/3 1/3 0.121|B 1/3 2/3 0.879",
    ),
)
"""Prototypes that the drawn alloys of EMT do not take (their pools stay as they are): open and ionic ones."""

ALL_PROTOTYPES: Final = (*PROTOTYPES, *FURTHER_PROTOTYPES)

COMMON_NAMES: Final[dict[str, str]] = {
    "fcc": "A1",
    "bcc": "A2",
    "hcp": "A3",
    "dhcp": "A3'",
    "diamond": "A4",
    "beta-tin": "A5",
    "arsenic": "A7",
    "graphite": "A9",
    "simple cubic": "A_h",
    "sc": "A_h",
    "rocksalt": "B1",
    "CsCl": "B2",
    "zincblende": "B3",
    "wurtzite": "B4",
    "NiAs": "B8_1",
    "BN": "B_k",
    "fluorite": "C1",
    "half-heusler": "C1_b",
    "cuprite": "C3",
    "rutile": "C4",
    "MoS2": "C7",
    "Laves": "C15",
    "AlB2": "C32",
    "ReO3": "D0_9",
    "chalcopyrite": "E1_1",
    "perovskite": "E2_1",
    "CuAu": "L1_0",
    "Cu3Au": "L1_2",
    "heusler": "L2_1",
    "inverse heusler": "XA",
}
"""What people call a prototype -> its name here."""
