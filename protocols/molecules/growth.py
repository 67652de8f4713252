"""All small molecules of carbon, nitrogen and oxygen that we can make ourselves: parents for edits, from nothing.

They grow from methane, ammonia and water; every step is a change that a chemist could make (see `parent`):

- an atom more: a hydrogen is replaced by CH3, NH2 or OH, as by any other group (`edits`);
- a bond more: two atoms give up a hydrogen each and are bound to each other. Bound atoms become double and triple bonds
  so; others close a ring.

What would be strained is not made: a molecule gets one ring at most, and it is closed over single bonds, between atoms
without double bonds. In a ring of fewer than five atoms no bond is raised, and in a larger one a bond is raised once,
between atoms that have no other double bond: so furan and benzene come about, and no cyclopropyne.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any, Final

from protocols.errors import SettingsError
from protocols.extras import load
from protocols.molecules.edits import CARBON, replacements_of
from protocols.molecules.identity import parsed
from protocols.molecules.parent import Parent

SEEDS: Final = ("C", "N", "O")
"""Methane, ammonia, water."""

ATOMS: Final = {"CH3": "C", "NH2": "N", "OH": "O"}
"""What makes a molecule an atom larger."""

MOST_HEAVY_ATOMS: Final = 6
"""Most atoms but hydrogen: at 6 there are some thousand molecules, made in a minute; each more makes five times as
many."""

LEAST_UNSATURATED_RING: Final = 5
"""Atoms of the smallest ring that may have double bonds: in smaller ones they are strained by 100 kJ/mol and more."""


def grown_molecules(heavy_atoms: int) -> tuple[str, ...]:
    """Return the canonical SMILES of all molecules of at most so many atoms but hydrogen, the smaller first.

    Raises:
        ExtraMissingError: Without RDKit.
        SettingsError: When so many can be none, or too many to enumerate.
    """
    if not 1 <= heavy_atoms <= MOST_HEAVY_ATOMS:
        raise SettingsError(
            f"Molecules of at most {heavy_atoms} heavy atoms are asked for", expected=f"1 to {MOST_HEAVY_ATOMS}"
        )
    size = dict.fromkeys(SEEDS, 1)
    waiting = list(SEEDS)
    while waiting:
        smiles = waiting.pop()
        made = dict.fromkeys(_bound(Parent.of(smiles)), size[smiles])
        if size[smiles] < heavy_atoms:
            made |= {edit.product.smiles: size[smiles] + 1 for edit in replacements_of(smiles, ATOMS)}
        waiting += made.keys() - size.keys()
        size = made | size
    return tuple(sorted(size, key=lambda smiles: (size[smiles], smiles)))


def heavy_atoms_of(smiles: str) -> int:
    """Return how many atoms but hydrogen a molecule has."""
    return int(parsed(smiles).GetNumHeavyAtoms())


def _bound(start: Parent) -> Iterator[str]:
    """Yield what becomes of a molecule with a bond more."""
    able = [atom for atom in start.heavy_atoms() if start.hydrogen_on(atom) is not None]
    for one, other in combinations(able, 2):
        bond = start.molecule.GetBondBetweenAtoms(one.GetIdx(), other.GetIdx())
        is_sound = _may_close(start, one, other) if bond is None else _may_raise(bond)
        if is_sound and (product := start.product(_with_bond(start, one, other))) is not None:
            yield product.smiles


def _may_close(start: Parent, one: Any, other: Any) -> bool:
    """Whether a ring may be closed between two atoms."""
    if CARBON not in {one.GetAtomicNum(), other.GetAtomicNum()} or start.molecule.GetRingInfo().NumRings():
        return False
    chain = load("rdkit.Chem").GetShortestPath(start.molecule, one.GetIdx(), other.GetIdx())
    bonds = [start.molecule.GetBondBetweenAtoms(*ends) for ends in pairwise(chain)]
    is_single = all(bond.GetBondType() == load("rdkit.Chem").BondType.SINGLE for bond in bonds)
    return is_single and not (_is_unsaturated(one) or _is_unsaturated(other))


def _may_raise(bond: Any) -> bool:
    """Whether a bond may become a double or a triple one."""
    chem = load("rdkit.Chem")
    if not bond.IsInRing():
        return bond.GetBondType() in {chem.BondType.SINGLE, chem.BondType.DOUBLE}
    is_large = not any(bond.IsInRingSize(size) for size in range(3, LEAST_UNSATURATED_RING))
    return is_large and not (_is_unsaturated(bond.GetBeginAtom()) or _is_unsaturated(bond.GetEndAtom()))


def _is_unsaturated(atom: Any) -> bool:
    return any(bond.GetBondTypeAsDouble() > 1.0 for bond in atom.GetBonds())


def _with_bond(start: Parent, one: Any, other: Any) -> Any:
    """Return the molecule with a bond more between two atoms, and a hydrogen less on either."""
    chem = load("rdkit.Chem")
    changed = chem.RWMol(start.molecule)
    ends = (one.GetIdx(), other.GetIdx())
    bond = changed.GetBondBetweenAtoms(*ends)
    if bond is None:
        changed.AddBond(*ends, chem.BondType.SINGLE)
    else:
        is_single = bond.GetBondType() == chem.BondType.SINGLE
        bond.SetBondType(chem.BondType.DOUBLE if is_single else chem.BondType.TRIPLE)
    for hydrogen in sorted(filter(None, map(start.hydrogen_on, (one, other))), reverse=True):
        changed.RemoveAtom(hydrogen)
    return changed
