"""Beds of substituted benzenes: every pair of groups in every position, as designs with their molecules.

A bed is data: names of groups with their SMILES, and positions. Two designs may be one molecule (F para to Cl is Cl
para to F), which is measured once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from protocols.errors import SettingsError
from protocols.molecules.groups import read_group
from protocols.molecules.identity import identity_of, parsed
from protocols.molecules.smiles import SmilesError

HYDROGEN: Final = "[H]"
"""What stands for no group at all."""

POSITIONS: Final[Mapping[str, int]] = {"ortho": 1, "meta": 2, "para": 3}
"""Name of a position -> how many atoms of the ring it is from the first group."""

USUAL_GROUPS: Final[Mapping[str, str]] = {
    "H": HYDROGEN, "F": "F", "Cl": "Cl", "CH3": "C", "OH": "O", "NH2": "N", "CN": "C#N", "CHO": "C=O",
    "NO2": "[N+](=O)[O-]", "OCH3": "OC", "CF3": "C(F)(F)F", "NMe2": "N(C)C",
}  # fmt: skip
"""The groups of `substituted_benzenes`, in the order of its table."""

RING_SIZE: Final = 6

RING_LABEL: Final = "%99"
"""Closes the ring: a label that no group will use for rings of its own."""


@dataclass(frozen=True, slots=True)
class BenzeneDesign:
    """Two groups on a benzene ring.

    Attributes:
        x: Name of the first group.
        y: Name of the second.
        position: Of the second from the first.
        smiles: Canonical SMILES of the molecule.
    """

    factors: ClassVar[tuple[str, ...]] = ("x", "y", "position")

    x: str
    y: str
    position: str
    smiles: str

    @property
    def levels(self) -> tuple[str, ...]:
        """Of the factors, in their order."""
        return (self.x, self.y, self.position)


def benzene_designs(
    groups: Mapping[str, str] = USUAL_GROUPS, positions: Sequence[str] = tuple(POSITIONS)
) -> tuple[BenzeneDesign, ...]:
    """Return all pairs of groups in all positions, in the order that both are given in.

    Args:
        groups: Name and SMILES of each group; `HYDROGEN` for none.
        positions: Some of `POSITIONS`.

    Raises:
        ExtraMissingError: Without RDKit.
        SettingsError: When there is no group or no position, one is none, or a design can be no candidate.
    """
    if unknown := sorted(set(positions) - set(POSITIONS)):
        raise SettingsError(
            f"There is no position {unknown[0]!r} on a benzene ring", expected=f"some of {', '.join(POSITIONS)}"
        )
    if not groups or not positions:
        raise SettingsError("A bed without groups or positions has no designs", expected="at least one of each")
    for name, fragment in groups.items():
        if fragment != HYDROGEN:
            read_group(name, fragment)
    return tuple(
        BenzeneDesign(x, y, position, _smiles(groups, x, y, position))
        for x in groups
        for y in groups
        for position in positions
    )


def _smiles(groups: Mapping[str, str], x: str, y: str, position: str) -> str:
    at = {0: groups[x], POSITIONS[position]: groups[y]}
    atoms = [f"c{RING_LABEL}", *("c" for _ in range(RING_SIZE - 2)), f"c{RING_LABEL}"]
    ring = "".join(atom + (f"({at[place]})" if place in at else "") for place, atom in enumerate(atoms))
    try:
        return identity_of(parsed(ring)).smiles
    except SmilesError as error:
        raise SettingsError(
            f"{x} and {y} in the position {position} make no candidate: {error}",
            expected="groups that bind to a benzene ring",
        ) from None
