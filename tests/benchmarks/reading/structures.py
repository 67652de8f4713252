"""Processor time of reading crystals with their system and features, beside pymatgen's parse and symmetry alone.

`python -m tests.benchmarks.reading.structures [--count 600] [--blocks 3]`; `--count 0` for all 4,704 CIFs. The data
lie beside the repository (`tests/support/structures/crystals_3dsc.py`). Both take the same crystals in turn, block by
block: only ratios mean something on a machine that others use. Ours counts everything: the start of the processes that
read, what is kept, and their end; pymatgen's counts nothing but the crystals.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from protocols.concurrency.children import usable_cores
from protocols.storage.kept import KeptValues
from protocols.structures.reader import StructureReader
from protocols.structures.reading import ReadStructure, StructureSettings
from scenarios.world.structures import DESCRIBE
from tests.support.structures.crystals_3dsc import KnownCrystal, known_crystals

SETTINGS = StructureSettings(symmetry_tolerance=0.01, angle_tolerance=-1.0, limit_s=60.0)


def cost_of(work: Callable[[], int]) -> tuple[float, float, int]:
    """Processor time of this process and those that it started [s], time by the clock [s], and what it returned."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)

    def used() -> float:
        return sum(each.ru_utime + each.ru_stime for each in map(resource.getrusage, whose))

    cpu, wall = used(), time.perf_counter()
    result = work()
    return used() - cpu, time.perf_counter() - wall, result


def by_pymatgen(crystals: Sequence[KnownCrystal]) -> int:
    """Parse crystals and find their systems; how many agree with the table."""
    from pymatgen.io.cif import CifParser
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    right = 0
    for each in crystals:
        (structure, *_) = CifParser.from_str(each.cif).parse_structures(primitive=False)
        right += SpacegroupAnalyzer(structure, 0.01, -1.0).get_crystal_system() == each.crystal_system
    return right


def by_us(crystals: Sequence[KnownCrystal], kept: KeptValues) -> int:
    """Read crystals with features; how many agree with the table."""
    reader = StructureReader(describe=DESCRIBE, kept=kept)
    outcomes = reader([each.cif for each in crystals], SETTINGS)
    read = [each for each in outcomes if isinstance(each, ReadStructure)]
    if len(read) < len(outcomes) or any(each.crystal not in reader.features for each in read):
        print("  NOT ALL WERE READ AND DESCRIBED")
    return sum(
        isinstance(ours, ReadStructure) and ours.crystal_system == each.crystal_system
        for ours, each in zip(outcomes, crystals, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=600, help="how many crystals; 0 for all")
    parser.add_argument("--blocks", type=int, default=3)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    crystals = known_crystals()
    if asked.count:
        chosen = np.random.default_rng(0).permutation(len(crystals))[: asked.count]
        crystals = [crystals[index] for index in chosen]
    by_pymatgen(crystals[:5])  # imports
    first, second, wall = [], [], []
    print(f"{len(crystals)} crystals, {usable_cores()} cores, load {os.getloadavg()[0]:.1f}; CPU s / wall s")
    for _ in range(asked.blocks):
        with tempfile.TemporaryDirectory() as folder:
            kept = KeptValues(Path(folder) / "kept.db")
            theirs, took, right = cost_of(partial(by_pymatgen, crystals))
            cold, cold_wall, ours = cost_of(partial(by_us, crystals, kept))
            warm, warm_wall, again = cost_of(partial(by_us, crystals, kept))
        first.append(cold / theirs)
        second.append(warm / cold)
        wall.append(cold_wall / took)
        print(
            f"  pymatgen alone {theirs:.2f} / {took:.2f}; ours with features {cold:.2f} / {cold_wall:.2f};"
            f" second start {warm:.2f} / {warm_wall:.2f}; right {right}, {ours}, {again}"
        )
    print(
        f"ours per pymatgen alone: {median(first):.2f} of CPU, {median(wall):.2f} by the clock;"
        f" second start per first: {median(second):.3f}"
    )


if __name__ == "__main__":
    main()
