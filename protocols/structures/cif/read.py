"""Reads the text of a CIF, and checks that it holds what it says: nothing in it is taken for granted.

The atoms are those that pymatgen's reader gives, in its order, where that reader has nothing to warn of.
"""

from __future__ import annotations

import functools
import math
import warnings
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.checks import MIN_DISTANCE, check_cell, check_distances
from protocols.structures.cif.asymmetric import WHAT, asymmetric_unit, block_with_atoms, cell_of
from protocols.structures.cif.formula import NOT_COMPARED, FormulaSum, check_formula, formula_sum
from protocols.structures.cif.operations import Operations
from protocols.structures.cif.symmetry import Symmetry, symmetry_of
from protocols.structures.cif.text import UNKNOWN, Block, number_of
from protocols.structures.faults import StructureFault
from protocols.structures.identity import content_of
from protocols.structures.neighbours import neighbours_of
from protocols.structures.sites import Sites

NEAR_IMAGE: Final = 0.05
"""Fractional distance within which images that are too close are one that was written with one or two digits."""

MULTIPLICITIES: Final = ("_atom_site_symmetry_multiplicity", "_atom_site_site_symmetry_multiplicity")
"""Items with how many atoms of the cell a site stands for; some programs write another number under these names."""

IMAGE_TOLERANCE: Final = 2.5e-4
"""Fractional distance within which images of a site are one atom: four digits, doubled by an operation as `x-y`."""

NO_SYMMETRY: Final = "the CIF says nothing of its symmetry, nor what its cell holds: read as P 1"
"""Note of a CIF whose sites may be a part of the cell; nothing in it tells."""

ONLY_SETTING: Final = "the CIF leaves origin or axes of its group open; only one of them makes a sound crystal"
"""Note of a CIF whose group has several settings."""


def read_cif(text: str) -> Sites:
    """Return the atoms of a CIF.

    Raises:
        StructureFault: When it cannot be read, or contradicts itself.
    """
    block = block_with_atoms(text)
    cell = cell_of(block)
    symmetry = symmetry_of(block, cell)
    formula = formula_sum(block)
    sites = asymmetric_unit(block, cell)
    if symmetry.note:
        _check_witness(formula, symmetry)
        sites = replace(sites, notes=(*sites.notes, symmetry.note))
    if formula is None or formula.amounts is None:
        unsure = [NOT_COMPARED] * (formula is not None) + [NO_SYMMETRY] * (not symmetry.stated)
        sites = replace(sites, notes=(*sites.notes, *unsure))
    if len(symmetry.choices) == 1:
        return _filled(block, sites, symmetry.choices[0], formula)
    return _of_one_setting(block, sites, symmetry, formula)


def _check_witness(formula: FormulaSum | None, symmetry: Symmetry) -> None:
    """Check that there is a formula which the cell can be compared with, where its symmetry is in doubt."""
    if formula is None or formula.amounts is None:
        raise StructureFault(
            "group and symmetry operations contradict each other",
            "a CIF with symmetry operations that its lattice lacks",
            "the operations of the group that is named, or a formula sum that tells whether the others are needed",
            symmetry.line,
        )


def _of_one_setting(block: Block, asymmetric: Sites, symmetry: Symmetry, formula: FormulaSum | None) -> Sites:
    """Return the atoms of the cell, where the CIF leaves the setting of its group open but one crystal is possible."""
    found: dict[str, Sites] = {}
    faults: list[StructureFault] = []
    for operations in symmetry.choices:
        try:
            sites = _filled(block, asymmetric, operations, formula)
            volume = check_cell(sites, WHAT)
            neighbours = neighbours_of(sites, volume)
            check_distances(sites, neighbours, WHAT)
        except StructureFault as fault:
            faults.append(fault)
        else:
            found.setdefault(content_of(sites, volume, neighbours), sites)
    if not found:
        raise faults[0]
    if len(found) > 1:
        raise StructureFault(
            "the setting of the group is open",
            f"a CIF without symmetry operations, of which {symmetry.words} has several settings",
            "the symmetry operations, or the origin or axes behind the symbol (as ':1', ':2', ':H', ':R')",
            symmetry.line,
        )
    (sites,) = found.values()
    return replace(sites, notes=(*sites.notes, ONLY_SETTING))


def _filled(block: Block, asymmetric: Sites, operations: Operations, formula: FormulaSum | None) -> Sites:
    """Return the atoms of the cell, checked against formula and multiplicities."""
    if len(operations[0]) == 1:
        counts = np.ones(len(asymmetric.symbols), dtype=np.int64)
        positions = asymmetric.positions
    else:
        places = zip(asymmetric.positions, asymmetric.lines, strict=True)
        images = [_images(place, operations, asymmetric.cell, line) for place, line in places]
        counts = np.array([len(each) for each in images])
        positions = np.concatenate(images)
    origin = np.repeat(np.arange(len(counts)), counts)  # the site that each atom comes from
    symbols = [asymmetric.symbols[site] for site in origin]
    if formula is not None and formula.amounts is not None:
        check_formula(block, formula.value, formula.amounts, symbols)
    else:
        _check_multiplicities(block, counts)
    order = sorted(range(len(symbols)), key=lambda atom: _rank(symbols[atom]))
    return Sites(
        symbols=tuple(symbols[atom] for atom in order),
        cell=asymmetric.cell,
        positions=positions[order],
        notes=asymmetric.notes,
        lines=tuple(asymmetric.lines[origin[atom]] for atom in order),
    )


def _images(
    position: NDArray[np.float64], operations: Operations, cell: NDArray[np.float64], line: int
) -> NDArray[np.float64]:
    """Return the atoms that a site stands for, in the order of the operations, shape (k, 3).

    A site that some operations leave where it is, but for its digits, is moved to the mean of what they make of it:
    that is exactly on their axis, plane or point (a third for `0.3333`), and nothing else of it changes.
    """
    rotations, translations = operations
    moves = _nearest(rotations @ position + translations - position)
    moves = moves[np.abs(moves).max(axis=1) <= IMAGE_TOLERANCE]
    images = (rotations @ (position + moves.mean(axis=0)) + translations) % 1.0
    apart = _nearest(images[:, None, :] - images[None, :, :])
    is_same = np.abs(apart).max(axis=2) <= IMAGE_TOLERANCE
    kept = np.flatnonzero(np.argmax(is_same, axis=1) == np.arange(len(images)))
    apart = apart[np.ix_(kept, kept)]
    is_near = (np.abs(apart).max(axis=2) <= NEAR_IMAGE) & (np.linalg.norm(apart @ cell, axis=2) < MIN_DISTANCE)
    if len(images) % len(kept) or is_near.sum() > len(kept):  # more than each image to itself
        raise StructureFault(
            "a site has too few digits for its symmetry",
            f"a CIF with a site at {', '.join(f'{x:g}' for x in position)} whose images nearly coincide",
            "the exact place on the symmetry element, with four digits or more (0.3333 for 1/3)",
            line,
        )
    return np.asarray(images[kept])


def _nearest(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return differences of fractional coordinates to the nearest image."""
    return np.asarray(differences - np.rint(differences))


def _check_multiplicities(block: Block, counts: NDArray[np.int64]) -> None:
    """Check how many atoms a site makes; where there is a formula, that is the better witness."""
    for name in MULTIPLICITIES:
        for value, count in zip(block.items.get(name, ()), counts, strict=False):
            if value.text not in UNKNOWN and number_of(value, name) != count:
                raise StructureFault(
                    "a multiplicity contradicts the symmetry",
                    f"a CIF with a site that makes {count} atoms, though its multiplicity is {value.text!r}",
                    "all symmetry operations of the group",
                    value.line,
                )


@functools.cache
def _rank(symbol: str) -> tuple[float, str]:
    """Return the place of an element among others: by electronegativity, as pymatgen sorts them; noble gases last."""
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that noble gases have none
        electronegativity = float(Element(symbol).X)
    return (electronegativity if math.isfinite(electronegativity) else math.inf), symbol
