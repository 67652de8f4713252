"""Makes `scenarios/library/mechanical_crystals.csv`: alloys that nobody has strained yet, for `mechanical_lab`.

python -m tests.support.library_tables.mechanical_crystals

Prototypes take the metals in turn at the volume of Vegard's law. Kept are those that effective medium theory relaxes to
a crystal of the same system which is stable under strain. The table holds no values: the lab tells them.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from protocols.structures.symmetry import crystal_system_of
from protocols.wire.structure import CrystalStructure
from scenarios.settings.library import LIBRARY
from scenarios.world.crystal_prototypes import PROTOTYPES, Prototype
from scenarios.world.crystals.search import SAME_CRYSTAL, FloatArray, fingerprint_of
from scenarios.world.emt_alloys import atom_volume
from simulators.calculators.catalogue import EMT_METALS, choose_calculator
from simulators.crystals.bench import Bench
from simulators.crystals.elasticity import elastic_tensor
from simulators.crystals.elements import Elements
from simulators.crystals.limits import Limits
from simulators.crystals.settings import CrystalSettings
from simulators.evaluator import EvaluationFailed

SEED = 16
"""Another seed, other alloys."""

MEMBERS = 14
"""Most crystals of one system."""

TRIALS = 320
"""Alloys that are tried."""

LEAST_STIFFNESS = 2.0
"""Smallest eigenvalue of the elastic tensor [GPa]: what is softer falls apart under another theory."""

TOLERANCE = (0.01, -1.0)
"""Distance [Å] and angle within which symmetries are the same, as in `scenarios.world.emt_alloys`."""


def write_table(path: Path) -> int:
    """Write the table; return the number of its rows."""
    rng = np.random.default_rng(SEED)
    rows: list[tuple[str, str, str]] = []
    known: dict[str, list[FloatArray]] = {}
    sizes: dict[str, int] = {}
    for _ in range(TRIALS):
        crystal = _draw(rng, PROTOTYPES[int(rng.integers(len(PROTOTYPES)))])
        family = crystal_system_of(crystal, *TOLERANCE)
        if family is None:
            continue
        structure = crystal.to_pymatgen()
        formula, fingerprint = structure.composition.reduced_formula, fingerprint_of(structure)
        same = any(bool(np.abs(fingerprint - other).max() < SAME_CRYSTAL) for other in known.get(formula, ()))
        if same or sizes.get(family, 0) == MEMBERS or not _keeps(crystal, family):
            continue
        known.setdefault(formula, []).append(fingerprint)
        rows.append((formula, family, crystal.model_dump_json()))
        sizes[family] = sizes.get(family, 0) + 1
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = ("bulk_modulus_vrh", "shear_modulus_vrh", "universal_anisotropy")
        writer.writerow(("formula", "crystal_system", *names, "structure"))
        writer.writerows((formula, family, "", "", "", text) for formula, family, text in sorted(rows))
    print(sizes)
    return len(rows)


def _draw(rng: np.random.Generator, prototype: Prototype) -> CrystalStructure:
    from pymatgen.core import Structure

    metals = dict(zip("ABC", rng.permutation(len(EMT_METALS)), strict=False))
    symbols = [EMT_METALS[metals[label]] for label in prototype.labels]
    cell = prototype.cell()
    cell *= (sum(map(atom_volume, symbols)) / abs(float(np.linalg.det(cell)))) ** (1.0 / 3.0)
    return CrystalStructure.from_pymatgen(Structure(cell, symbols, prototype.positions()), decimals=6)


def _keeps(crystal: CrystalStructure, family: str) -> bool:
    """Tell whether a crystal is stable, and relaxes to one of its system."""
    choice = choose_calculator("emt")
    bench = Bench(choice, crystal, CrystalSettings(), Elements(choice), Limits.of(150, 600.0))
    try:
        relaxed = CrystalStructure.from_ase(bench.relaxed().atoms)
        if crystal_system_of(relaxed, *TOLERANCE) != family:
            return False
        return float(np.linalg.eigvalsh(elastic_tensor(bench).constants)[0]) > LEAST_STIFFNESS
    except (EvaluationFailed, ValueError):
        return False


if __name__ == "__main__":
    print(write_table(LIBRARY / "mechanical_crystals.csv"), "rows")
