"""Processor time of describing 1,000 crystals: ours, the statistics, and the symmetry of pymatgen, side by side.

`python -m tests.benchmarks.crystals.features_cost [--count 200] [--blocks 3]`. Each block takes other crystals of the
same pool in turn, so that only ratios mean something on a machine that others use; the median block counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from agent.pool.features import composition_features, structure_features
from agent.pool.statistics import composition_statistics
from scenarios.world.crystals.search import FEATURE_TOLERANCES, MadeCrystal
from scenarios.world.emt_alloys import generate_structures

PER: Final = 1000
"""Crystals that a figure is of."""


def pymatgen_symmetry(crystals: Sequence[MadeCrystal]) -> None:
    """Find space groups as pymatgen does: what a description by symmetry alone would cost."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    for each in crystals:
        SpacegroupAnalyzer(each.structure.to_pymatgen(), *FEATURE_TOLERANCES).get_space_group_number()


WAYS: dict[str, Callable[[Sequence[MadeCrystal]], object]] = {
    "composition (31)": lambda crystals: composition_features([each.formula for each in crystals]),
    "statistics of composition (108)": lambda crystals: composition_statistics([each.formula for each in crystals]),
    "structure (45)": lambda crystals: structure_features([each.structure for each in crystals], *FEATURE_TOLERANCES),
    "pymatgen's space groups": pymatgen_symmetry,
}
"""What is timed, by name."""


def main() -> None:
    """Print CPU seconds per 1,000 crystals, and what each is of the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--blocks", type=int, default=3)
    asked = parser.parse_args()
    crystals = generate_structures(0, members_per_family=-(-asked.count * asked.blocks // 7))
    for work in WAYS.values():
        work(crystals[:5])  # imports and elements count for nobody
    spent: dict[str, list[float]] = {name: [] for name in WAYS}
    for block in range(asked.blocks):
        chosen = crystals[block :: asked.blocks][: asked.count]
        for name, work in WAYS.items():
            began = time.process_time()
            work(chosen)
            spent[name].append((time.process_time() - began) * PER / len(chosen))
    atoms = sum(len(each.structure.symbols) for each in crystals) / len(crystals)
    print(f"CPU seconds per {PER:,} crystals of {atoms:.1f} atoms")
    for name, each in spent.items():
        print(f"{name:<34} {median(each):8.3f}")


if __name__ == "__main__":
    main()
