"""Makes `scenarios/library/small_molecules.csv`: dipole moments of small molecules by two methods, with features.

The molecules are those of the bed `edits_designs.csv` of two to five heavy atoms: all with up to four, and of those
with five the ones that were measured. GFN2-xTB values and force-field features are the bed's own. B3LYP/def2-SVPD is a
point at the geometry that GFN2 keeps, as the lab has it (`simulators.molecules.dft`). The values that are shipped were
computed with density fitting and PySCF's grid of level 1, a fifth of the time; the lab's own differ from them by less
than 0.001 D where they were compared (tests/system/campaigns/test_two_fidelities.py measures some again).

python -m tests.support.library_tables.small_molecules [TABLE]     some hours, with the extra `dft`
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from protocols.extras import load
from protocols.storage.csv_file import write_csv
from scenarios.settings.library import LIBRARY
from simulators.evaluator import EvaluationFailed
from simulators.molecules.batch import measure_all
from simulators.molecules.molecule_properties import B3LYP, DIPOLE

TABLE: Final = LIBRARY / "small_molecules.csv"
DESIGNS: Final = LIBRARY / "edits_designs.csv"
FEATURES: Final = LIBRARY / "edits_features.csv"

SIZES: Final = range(2, 6)
"""Heavy atoms."""

FAMILIES: Final = (
    ("acceptor", "[$([N+](=O)[O-]),$(C#N)]"),
    ("carbonyl", "[CX3]=O"),
    ("halide", "[F,Cl]"),
    ("amine", "[NX3]"),
    ("oxygen", "[OX2]"),
    ("other", "*"),
)
"""Family and its SMARTS; a molecule is of the first that it has."""

ELEMENTS: Final = ("C", "N", "O", "F", "Cl")

COLUMNS: Final = (
    *("smiles", "family", "dipole_b3lyp", "dipole_gfn2"),
    *("feat_dipole_mmff", "feat_dipole_gasteiger", "feat_energy_mmff", "feat_h"),
    *(f"feat_{element.lower()}" for element in ELEMENTS),
    "feat_unsaturated",
)


def molecules() -> dict[str, float]:
    """Return the molecules of the bed, with their dipole moments by GFN2-xTB [D]."""
    with DESIGNS.open(newline="", encoding="utf-8") as file:
        known = {row["smiles"]: float(row["dipole"]) for row in csv.DictReader(file)}
    return {
        each: known[each]
        for each in sorted(known)
        if load("rdkit.Chem").MolFromSmiles(each).GetNumHeavyAtoms() in SIZES
    }


def rows(dear: dict[str, float]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the table.

    Args:
        dear: Dipole moments by B3LYP [D], of those that could be measured.
    """
    with FEATURES.open(newline="", encoding="utf-8") as file:
        told = {row["smiles"]: row for row in csv.DictReader(file)}
    for smiles, cheap in molecules().items():
        if smiles in dear:
            own = told[smiles]
            force_field = (
                f"{float(own['mu_mmff']):.4f}",
                f"{float(own['mu_gast']):.4f}",
                f"{float(own['e_mmff']):.3f}",
            )
            yield (smiles, family_of(smiles), f"{dear[smiles]:.4f}", f"{cheap:.4f}", *force_field, *_counts(smiles))


def family_of(smiles: str) -> str:
    """Return the family of a molecule."""
    chem = load("rdkit.Chem")
    molecule = chem.MolFromSmiles(smiles)
    return next(name for name, smarts in FAMILIES if molecule.HasSubstructMatch(chem.MolFromSmarts(smarts)))


def _counts(smiles: str) -> tuple[int, ...]:
    molecule = load("rdkit.Chem").MolFromSmiles(smiles)
    symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
    hydrogens = sum(atom.GetTotalNumHs() for atom in molecule.GetAtoms())
    unsaturated = sum(bond.GetBondTypeAsDouble() > 1.0 for bond in molecule.GetBonds())
    return (hydrogens, *(symbols.count(element) for element in ELEMENTS), unsaturated)


def main(path: Path) -> None:
    """Measure, and write the table."""
    outcomes = measure_all(list(molecules()), fidelity=B3LYP)
    measured = {smiles: each for smiles, each in outcomes.items() if not isinstance(each, EvaluationFailed)}
    dear = {
        smiles: next(quantity.value for quantity in each.quantities if quantity.name == DIPOLE)
        for smiles, each in measured.items()
    }
    write_csv(path, COLUMNS, rows(dear))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE)
