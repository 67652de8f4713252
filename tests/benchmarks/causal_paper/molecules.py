"""Molecules of QM9 with the publication's nine descriptors, their dipole moments, and the subset of each.

The tables lie beside the repository, in `../shared/data/qm9`; descriptors are RDKit's. `what_is_missing` says
what is not there.
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from agent.causal.graph.variables import Variables

DATA: Final = Path(__file__).parents[4] / "shared" / "data" / "qm9"
"""Where they are, unless told otherwise."""

ALL: Final = "qm9_smiles_133885.csv"
SAMPLE: Final = "qm9_3000.csv"

OF_SUBSETS: Final = ("MolLogP", "TPSA", "MolMR")
"""Descriptors of the mixture."""

OF_GRAPH: Final = (
    "ExactMolWt",
    "HeavyAtomMolWt",
    "NumValenceElectrons",
    "NumSaturatedRings",
    "NOCount",
    "NumHDonors",
    "NumAliphaticRings",
    "NumHeteroatoms",
    "NumSaturatedCarbocycles",
)
"""Those of the publication's second version, in its order."""

TARGET: Final = "mu"
"""Dipole moment [D]."""

PUBLISHED_SIZES: Final = (62_350, 45_038, 26_497)
"""Of the three subsets of all 133,885 molecules."""


def what_is_missing(data: Path) -> str:
    """Return what is not there, and what to do; empty when all is."""
    if importlib.util.find_spec("rdkit") is None:
        return "descriptors need RDKit, which is not installed. What to do: pip install rdkit"
    missing = [data / name for name in (ALL, SAMPLE) if not (data / name).exists()]
    return f"{missing[0].resolve()} is not there. What to do: name its folder by --data" if missing else ""


def descriptors(smiles: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Return RDKit's descriptors of molecules, shape (n, q)."""
    from rdkit import Chem, rdBase
    from rdkit.Chem import Descriptors

    rdBase.DisableLog("rdApp.*")
    functions = dict(Descriptors.descList)
    molecules = (Chem.MolFromSmiles(each) for each in smiles)
    return np.array([[functions[name](molecule) for name in names] for molecule in molecules])


def of_subsets(data: Path) -> np.ndarray:
    """Return the descriptors of all molecules that decide their subsets, shape (133885, 3)."""
    return descriptors([row["smiles"] for row in _rows(data / ALL)], OF_SUBSETS)


def variables(data: Path) -> tuple[Variables, np.ndarray]:
    """Return 3,000 molecules, and the place of each among all, shape (3000,)."""
    rows = _rows(data / SAMPLE)
    features = descriptors([row["smiles"] for row in rows], OF_GRAPH)
    dipoles = np.array([float(row[TARGET]) for row in rows])
    places = np.array([int(row["gdb"]) - 1 for row in rows])
    return Variables.with_target(OF_GRAPH, features, TARGET, dipoles), places


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
