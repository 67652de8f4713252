"""Beds of edits: groups in place of a hydrogen at the places of many small molecules, as designs with their products.

| here | meaning |
|---|---|
| parent | a molecule that is edited |
| place | one of its atoms with a hydrogen; atoms at which every group makes the same molecule are one place |
| kind | what surrounds a place: element, hybridisation, and whether an atom beside it is no carbon |
| design | a group at a place; with `NO_GROUP` it is the parent itself |

A place says its parent and its kind; these stand beside it for people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from protocols.errors import SettingsError
from protocols.molecules.edits import CARBON, replacements_of
from protocols.molecules.groups import GROUPS
from protocols.molecules.identity import identity_of, parsed

NO_GROUP: Final = "H"
"""The group that is none: what stands there in the parent."""

HYDROGEN: Final = 1
"""Its atomic number."""

LEAST_DESIGNS: Final = 2
"""Of a group, and of a place: of one alone no effect can be told."""


@dataclass(frozen=True, slots=True)
class EditDesign:
    """A group at a place.

    Attributes:
        smiles: Canonical SMILES of the product.
        group: Name of the group.
        place: Parent and number of the atom in it.
        parent: Its canonical SMILES.
        kind: What surrounds the place.
    """

    factors: ClassVar[tuple[str, ...]] = ("group", "place", "parent", "kind")

    smiles: str
    group: str
    place: str
    parent: str
    kind: str

    @property
    def levels(self) -> tuple[str, ...]:
        """Of the factors, in their order."""
        return (self.group, self.place, self.parent, self.kind)


def edit_designs(
    parents: Sequence[str],
    groups: Mapping[str, str] = GROUPS,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[EditDesign, ...]:
    """Return every group at every place of the parents, and the parents themselves, parent by parent.

    Args:
        parents: Their SMILES.
        groups: Name and SMILES of the groups that are put on.
        progress: Called with (done, all) after each parent.

    Raises:
        ExtraMissingError: Without RDKit.
        SmilesError: When a parent can be no candidate.
        SettingsError: When a group is none, or has the name of `NO_GROUP`.
    """
    if NO_GROUP in groups:
        raise SettingsError(
            f"A group is called {NO_GROUP!r}", expected="other names", action=f"{NO_GROUP} is there by itself"
        )
    found: list[EditDesign] = []
    for done, smiles in enumerate(dict.fromkeys(identity_of(parsed(each)).smiles for each in parents), 1):
        found += _designs_of(smiles, groups)
        progress(done, len(parents))
    return tuple(found)


def designs_among(designs: Sequence[EditDesign], molecules: Collection[str]) -> tuple[EditDesign, ...]:
    """Return the designs whose parent and product are both among some molecules, and that can be compared.

    Groups at one place alone are left out, and places that are left with no group.

    Raises:
        SettingsError: When nothing is left.
    """
    kept = [each for each in designs if each.smiles in molecules and each.parent in molecules]
    while True:
        counts = Counter(name for each in kept for name in (("group", each.group), ("place", each.place)))
        compared = [
            each
            for each in kept
            if counts["group", each.group] >= LEAST_DESIGNS and counts["place", each.place] >= LEAST_DESIGNS
        ]
        if len(compared) == len(kept):
            break
        kept = compared
    if not kept:
        raise SettingsError(
            f"None of {len(designs):,} designs can be compared with another: of no place are a parent and a product "
            f"among the {len(molecules):,} molecules that have a value",
            expected="molecules that differ by a group in place of a hydrogen",
            action="take larger parents, other groups or another table",
        )
    return tuple(kept)


def _designs_of(parent: str, groups: Mapping[str, str]) -> Iterator[EditDesign]:
    """Yield the designs of a parent, place by place."""
    products: dict[int, dict[str, str]] = {}
    for edit in replacements_of(parent, groups):
        products.setdefault(edit.site, {})[edit.group] = edit.product.smiles
    atoms = parsed(parent).GetAtoms()
    seen: list[dict[str, str]] = []
    for site, made in products.items():
        if made not in seen:
            seen.append(made)
            place, kind = f"{parent} atom {site}", kind_of(atoms[site - 1])
            for group, smiles in {NO_GROUP: parent, **made}.items():
                yield EditDesign(smiles, group, place, parent, kind)


def kind_of(atom: Any) -> str:
    """Say what surrounds one of RDKit's atoms, in words."""
    how = "aromatic" if atom.GetIsAromatic() else str(atom.GetHybridization()).lower()
    beside = any(each.GetAtomicNum() not in {HYDROGEN, CARBON} for each in atom.GetNeighbors())
    return f"{atom.GetSymbol()} {how}" + " beside a heteroatom" * beside
