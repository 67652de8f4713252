"""Where relaxations of a molecule begin, and whether it is still the same molecule where they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from protocols.molecules.conformers import SEEDS, Conformer, conformers_of
from protocols.molecules.identity import check_molecule
from protocols.molecules.smiles import SmilesError, read_smiles
from protocols.wire.messages import FailureReason
from protocols.wire.molecule import Molecule, MoleculeGeometry
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

LONGEST_BOND: Final = 1.3
"""A bond of the SMILES that is longer than this after the relaxation is broken [sum of the covalent radii]; stretched
ones, as in F2, reach 1.25."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a relaxation begins.

    Attributes:
        seed: Of the embedding; None for coordinates that came with the request.
        atoms: The atoms.
        bonds: Pairs of atoms that are bonded; none where nobody says which atom of the SMILES is which.
        minimised: Whether it is a minimum of MMFF94.
    """

    seed: int | None
    atoms: Atoms
    bonds: Sequence[tuple[int, int]] = field(default=())
    minimised: bool = False


def starts_of(molecule: Molecule) -> list[Start]:
    """Return where relaxations begin: at the given coordinates, or at every embedding.

    Raises:
        EvaluationFailed: UNSUPPORTED for what is no neutral molecule with paired electrons; INVALID_REQUEST for
            coordinates of another molecule; CALCULATION_FAILED when nothing embeds.
    """
    try:
        identity = check_molecule(molecule.smiles)
        if molecule.geometry is not None:
            return [_given(molecule.geometry, identity.smiles)]
        found = conformers_of(identity.smiles)
    except SmilesError as error:
        raise EvaluationFailed(FailureReason.UNSUPPORTED, f"the SMILES {molecule.smiles!r}: {error}") from None
    if not found:
        raise EvaluationFailed(
            FailureReason.CALCULATION_FAILED,
            f"none of the embeddings with the seeds {SEEDS} gives {molecule.smiles} a shape",
        )
    return [_embedded(conformer) for conformer in found]


def _given(geometry: MoleculeGeometry, smiles: str) -> Start:
    atoms, content = geometry.to_ase(), read_smiles(smiles)
    if atoms.symbols.formula.count() != content.amounts:
        raise EvaluationFailed(
            FailureReason.INVALID_REQUEST,
            f"the coordinates are of {atoms.get_chemical_formula(mode='hill')}, the SMILES of {content.formula}",
        )
    return Start(None, atoms)


def _embedded(conformer: Conformer) -> Start:
    from ase import Atoms

    molecule = conformer.molecule
    symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]
    atoms = Atoms(symbols, positions=molecule.GetConformer().GetPositions())
    return Start(conformer.seed, atoms, bonds, minimised=conformer.energy is not None)


def require_bonds(atoms: Atoms, bonds: Sequence[tuple[int, int]]) -> None:
    """Refuse a molecule that has come apart, or passed an atom on: it is not the one that was asked for.

    Raises:
        EvaluationFailed: CALCULATION_FAILED, with the bond.
    """
    from ase.data import covalent_radii

    for one, other in bonds:
        bond = covalent_radii[atoms.numbers[one]] + covalent_radii[atoms.numbers[other]]
        distance = float(atoms.get_distance(one, other))
        if distance > LONGEST_BOND * bond:
            raise EvaluationFailed(
                FailureReason.CALCULATION_FAILED,
                f"it became another molecule: after the relaxation the bond {atoms.symbols[one]}-{atoms.symbols[other]}"
                f" is {distance:.2f} Å long",
            )
