"""All molecules that a few edits make of some: a finite set that is enumerated before anything is measured.

A pool of such a closure is the same wherever it is enumerated, so a campaign on it can be replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from protocols.errors import SettingsError
from protocols.molecules.edits import Edit, edits_of
from protocols.molecules.groups import GROUPS
from protocols.molecules.identity import MoleculeIdentity, identity_of, parsed

MAX_MOLECULES: Final = 10_000
"""Most molecules of a closure: enumerated in some minutes, and more than a campaign can ask for."""


@dataclass(frozen=True, slots=True)
class Design:
    """A molecule of a closure, and how it is made.

    Attributes:
        molecule: Who it is.
        edits: A shortest way to it from one of the parents, edit by edit; none for a parent itself.
    """

    molecule: MoleculeIdentity
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Closure:
    """A finite set of molecules and the edits between them.

    Attributes:
        designs: The molecules, parents first, then by the number of edits, and by SMILES within each.
        edits: Every edit of a molecule that fewer than `depth` edits make, wherever in the closure it leads.
    """

    designs: tuple[Design, ...]
    edits: tuple[Edit, ...]


def closure(parents: Sequence[str], groups: Mapping[str, str] = GROUPS, depth: int = 1) -> Closure:
    """Return all molecules that at most `depth` edits make of the parents, and the parents.

    Args:
        parents: Their SMILES.
        groups: Name and SMILES of the groups that may be put on.
        depth: How many edits follow each other; 0 for the parents alone.

    Raises:
        ExtraMissingError: Without RDKit.
        SmilesError: When a parent can be no candidate.
        SettingsError: When a group is none, the depth is negative, or there are more than `MAX_MOLECULES` molecules.
    """
    if depth < 0:
        raise SettingsError(f"A closure of depth {depth} is asked for", expected="0 or more edits")
    first = {identity.smiles: identity for identity in (identity_of(parsed(parent)) for parent in parents)}
    designs = {smiles: Design(first[smiles], ()) for smiles in sorted(first)}
    edits: list[Edit] = []
    generation = list(designs.values())
    for _ in range(depth):
        made: dict[str, Design] = {}
        for design in generation:
            for edit in edits_of(design.molecule.smiles, groups):
                edits.append(edit)
                if edit.product.smiles not in designs:
                    made.setdefault(edit.product.smiles, Design(edit.product, (*design.edits, edit)))
            _require_few(len(designs) + len(made), len(first), depth)
        generation = [made[smiles] for smiles in sorted(made)]
        designs |= {design.molecule.smiles: design for design in generation}
    return Closure(tuple(designs.values()), tuple(edits))


def _require_few(molecules: int, parents: int, depth: int) -> None:
    if molecules > MAX_MOLECULES:
        raise SettingsError(
            f"{depth} edits make more than {MAX_MOLECULES:,} molecules of {parents}",
            expected="a closure that can be enumerated",
            action="name fewer parents or groups, or a smaller depth",
        )
