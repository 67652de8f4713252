"""Edits of a molecule that a chemist could make: a hydrogen replaced by a group, a substituent of a ring moved.

Every product is sanitised by RDKit, canonical, neutral and closed-shell, and no edit makes

- a bond between two heteroatoms (N-F, O-N, O-O, …): on N, O, S and the like only groups that bind by carbon are put;
- a group that falls off or turns over by itself: OH or NH beside another heteroatom on a saturated carbon (it loses
  water, ammonia or an acid), OH or NH on a double or triple bond of carbons (it turns into a ketone or an imine).

A stereocentre keeps its sense where its hydrogen is replaced; one that an edit creates is left open, and the lab's rule
of the lowest conformer decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from protocols.extras import load
from protocols.molecules.groups import GROUPS, read_group
from protocols.molecules.identity import MoleculeIdentity
from protocols.molecules.parent import Parent

CARBON: Final = 6
"""Its atomic number."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a molecule.

    Attributes:
        parent: Canonical SMILES of what is changed.
        product: What it becomes.
        group: The group that is put on or moved; the SMILES of a substituent that has no name.
        site: The atom that gets it, as it is numbered in `parent`, from 1.
        source: The atom that loses it, where it is moved; None where it replaces a hydrogen from outside.
        element: Symbol of the atom at `site`, in small letters where it is aromatic.
    """

    parent: str
    product: MoleculeIdentity
    group: str
    site: int
    source: int | None
    element: str

    @property
    def words(self) -> str:
        """What was changed, and where, for people."""
        place = f"atom {self.site} ({self.element}) of {self.parent}"
        if self.source is None:
            return f"{self.group} in place of a hydrogen on {place}"
        return f"{self.group} moved from atom {self.source} to {place}"


def edits_of(smiles: str, groups: Mapping[str, str] = GROUPS) -> tuple[Edit, ...]:
    """Return the edits of a molecule that lead to different products, none of them the molecule itself.

    Edits that lead to the same product are one: that of the lowest site, and there of the first group.

    Args:
        smiles: The molecule.
        groups: Name and SMILES of the groups that may be put on.

    Raises:
        ExtraMissingError: Without RDKit.
        SmilesError: When RDKit can make no sense of the SMILES, or it is no candidate.
        SettingsError: When a group is none.
    """
    fragments = {name: read_group(name, fragment) for name, fragment in groups.items()}
    start = Parent.of(smiles)
    seen = {start.smiles}
    kept = []
    for edit in (*_replacements(start, fragments), *_moves(start, fragments)):
        if edit.product.smiles not in seen:
            seen.add(edit.product.smiles)
            kept.append(edit)
    return tuple(kept)


def replacements_of(smiles: str, groups: Mapping[str, str] = GROUPS) -> tuple[Edit, ...]:
    """Return every group in place of a hydrogen of every atom, by site and then in the order of the groups.

    Atoms that are alike lead to the same products, and are all there.

    Raises:
        ExtraMissingError: Without RDKit.
        SmilesError: When RDKit can make no sense of the SMILES, or it is no candidate.
        SettingsError: When a group is none.
    """
    fragments = {name: read_group(name, fragment) for name, fragment in groups.items()}
    return tuple(_replacements(Parent.of(smiles), fragments))


def _replacements(start: Parent, fragments: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield a group in place of a hydrogen, by site and then in the order of the groups."""
    for atom in start.heavy_atoms():
        hydrogen = start.hydrogen_on(atom)
        if hydrogen is None:
            continue
        for name, fragment in fragments.items():
            if CARBON not in {atom.GetAtomicNum(), fragment.GetAtomWithIdx(1).GetAtomicNum()}:
                continue
            identity = start.product(_with_group(start.molecule, hydrogen, fragment))
            if identity is not None:
                yield _edit(start, identity, name, atom, None)


def _moves(start: Parent, fragments: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield a substituent of an aromatic ring moved to another atom of the ring, by source and then by target."""
    names = {_substituent_smiles(fragment, 0, 1): name for name, fragment in fragments.items()}
    for source, root in _substituents(start):
        smiles = _substituent_smiles(start.molecule, source.GetIdx(), root.GetIdx())
        for target, hydrogen in _free_places(start, source):
            changed = _moved(start.molecule, source.GetIdx(), root.GetIdx(), target.GetIdx(), hydrogen)
            identity = start.product(changed)
            if identity is not None:
                yield _edit(start, identity, names.get(smiles, smiles), target, source)


def _substituents(start: Parent) -> Iterator[tuple[Any, Any]]:
    """Yield the atoms of aromatic rings that hold a substituent, with its first atom.

    One that would lose the sense of a double bond when it is moved stays where it is.
    """
    chem = load("rdkit.Chem")
    for atom in filter(_is_aromatic_carbon, start.heavy_atoms()):
        for bond in atom.GetBonds():
            root = bond.GetOtherAtom(atom)
            is_held = bond.GetBondType() == chem.BondType.SINGLE and not bond.IsInRing()
            has_sense = any(each.GetStereo() != chem.BondStereo.STEREONONE for each in root.GetBonds())
            if is_held and root.GetAtomicNum() > 1 and not has_sense:
                yield atom, root


def _free_places(start: Parent, source: Any) -> Iterator[tuple[Any, int]]:
    """Yield the carbons of the aromatic rings of an atom that hold a hydrogen, with it."""
    rings = [ring for ring in start.molecule.GetRingInfo().AtomRings() if source.GetIdx() in ring]
    for atom in filter(_is_aromatic_carbon, start.heavy_atoms()):
        hydrogen = start.hydrogen_on(atom)
        if hydrogen is not None and any(atom.GetIdx() in ring for ring in rings):
            yield atom, hydrogen


def _edit(start: Parent, product: MoleculeIdentity, group: str, site: Any, source: Any | None) -> Edit:
    element = site.GetSymbol().lower() if site.GetIsAromatic() else site.GetSymbol()
    return Edit(
        start.smiles, product, group, site.GetIdx() + 1, None if source is None else source.GetIdx() + 1, element
    )


def _with_group(molecule: Any, hydrogen: int, fragment: Any) -> Any:
    """Return the molecule with a group where a hydrogen was.

    The hydrogen itself becomes the first atom of the group, so that the neighbours of its atom keep their order, and a
    stereocentre its sense.
    """
    changed = load("rdkit.Chem").RWMol(molecule)
    methyl = {0, *(each.GetIdx() for each in fragment.GetAtomWithIdx(0).GetNeighbors())} - {1}  # `read_group` adds it
    changed.ReplaceAtom(hydrogen, fragment.GetAtomWithIdx(1))
    place = {1: hydrogen}
    for atom in fragment.GetAtoms():
        if atom.GetIdx() not in methyl | {1}:
            place[atom.GetIdx()] = changed.AddAtom(atom)
    for bond in fragment.GetBonds():
        ends = (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
        if set(ends) <= set(place):
            changed.AddBond(place[ends[0]], place[ends[1]], bond.GetBondType())
    return changed


def _moved(molecule: Any, source: int, root: int, target: int, hydrogen: int) -> Any:
    """Return the molecule with the substituent `root` of `source` on `target`, and that one's hydrogen on `source`."""
    chem = load("rdkit.Chem")
    changed = chem.RWMol(molecule)
    neighbours = [each.GetIdx() for each in changed.GetAtomWithIdx(root).GetNeighbors()]
    for one, other in ((source, root), (target, hydrogen)):
        changed.RemoveBond(one, other)
    for one, other in ((target, root), (source, hydrogen)):
        changed.AddBond(one, other, chem.BondType.SINGLE)
    # The ring is the last of the root's neighbours now: as many places on, as many exchanges.
    if (len(neighbours) - 1 - neighbours.index(source)) % 2:
        changed.GetAtomWithIdx(root).InvertChirality()
    return changed


def _is_aromatic_carbon(atom: Any) -> bool:
    return bool(atom.GetIsAromatic()) and atom.GetAtomicNum() == CARBON


def _substituent_smiles(molecule: Any, holder: int, root: int) -> str:
    """Return the canonical SMILES of what hangs on `holder` by `root`, written from the root."""
    chem = load("rdkit.Chem")
    found, waiting = {root}, [root]
    while waiting:
        for each in molecule.GetAtomWithIdx(waiting.pop()).GetNeighbors():
            if each.GetIdx() not in found | {holder} and each.GetAtomicNum() > 1:
                found.add(each.GetIdx())
                waiting.append(each.GetIdx())
    return str(chem.MolFragmentToSmiles(molecule, sorted(found), rootedAtAtom=root))
