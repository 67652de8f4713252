"""Makes `scenarios/library/emt_sample.csv`: a small table of our own EMT results, for the scenario `oracle_table`.

python -m tests.support.library_tables.emt_sample

Its energies are counted from the fcc elements, as when the recordings of the library were made; the
lab counts from ground states, up to 4 meV/atom lower.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from protocols.errors import InvariantViolation
from protocols.wire.structure import CrystalStructure
from scenarios.settings.library import LIBRARY
from scenarios.world.emt_alloys import make_emt_pool
from simulators.calculators.catalogue import choose_calculator
from simulators.crystals.catalogue import ENERGY, VOLUME
from simulators.crystals.crystal_properties import CrystalProperties
from simulators.crystals.elements import Elements

SEED = 1
"""Another seed than that of the scenario `emt_alloys`: the table holds other crystals."""

MEMBERS_PER_FAMILY = 60
"""Rows of each crystal system: 420 in all, a table of a tenth of a megabyte."""


def write_sample(path: Path) -> int:
    """Write the table; return the number of its rows."""
    pool = make_emt_pool(SEED, members_per_family=MEMBERS_PER_FAMILY)
    evaluator, elements = CrystalProperties("emt"), Elements(choose_calculator("emt"))
    varying = np.flatnonzero(pool.features.std(axis=0) > 0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [f"feat_{pool.feature_names[column]}" for column in varying]
        writer.writerow(("id", "formula", "crystal_system", "formation_energy_per_atom", "volume_per_atom", *names))
        for candidate, features in zip(pool.candidates, pool.features[:, varying], strict=True):
            energy, volume = _of(candidate.structure, evaluator, elements)
            writer.writerow(
                (
                    candidate.candidate_id,
                    candidate.formula,
                    candidate.family,
                    f"{energy:.6f}",
                    f"{volume:.5f}",
                    *(f"{feature:.5g}" for feature in features),
                )
            )
    return len(pool)


def _of(structure: CrystalStructure | None, evaluator: CrystalProperties, elements: Elements) -> tuple[float, float]:
    """Return energy above the fcc elements [eV/atom], and volume [Å^3/atom]."""
    if structure is None:
        raise InvariantViolation("a pool of crystals has structures")
    energy, volume = evaluator.measure(structure, (ENERGY, VOLUME)).quantities
    packed = [elements.packed(symbol) for symbol in structure.symbols]
    fcc = sum(each.energy for each in packed if each is not None) / len(packed)
    return energy.value - fcc, volume.value


if __name__ == "__main__":
    print(write_sample(LIBRARY / "emt_sample.csv"), "rows")
