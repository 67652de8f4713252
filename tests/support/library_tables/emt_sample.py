"""Makes `scenarios/library/emt_sample.csv`: a small table of our own EMT results, for the scenario `oracle_table`.

python -m tests.support.library_tables.emt_sample
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from scenarios.settings.library import LIBRARY
from scenarios.world.emt_alloys import emt_quantities, make_emt_pool

SEED = 1
"""Another seed than that of the scenario `emt_alloys`: the table holds other crystals."""

MEMBERS_PER_FAMILY = 60
"""Rows of each crystal system: 420 in all, a table of a tenth of a megabyte."""


def write_sample(path: Path) -> int:
    """Write the table; return the number of its rows."""
    pool = make_emt_pool(SEED, members_per_family=MEMBERS_PER_FAMILY)
    known = emt_quantities(pool, processes=1)
    varying = np.flatnonzero(pool.features.std(axis=0) > 0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [f"feat_{pool.feature_names[column]}" for column in varying]
        writer.writerow(("id", "formula", "crystal_system", "formation_energy_per_atom", "volume_per_atom", *names))
        for candidate, features in zip(pool.candidates, pool.features[:, varying], strict=True):
            values = {quantity.name: quantity.value for quantity in known[candidate.candidate_id]}
            writer.writerow(
                (
                    candidate.candidate_id,
                    candidate.formula,
                    candidate.family,
                    f"{values['formation_energy_per_atom']:.6f}",
                    f"{values['volume_per_atom']:.5f}",
                    *(f"{feature:.5g}" for feature in features),
                )
            )
    return len(pool)


if __name__ == "__main__":
    print(write_sample(LIBRARY / "emt_sample.csv"), "rows")
