"""How many crystals a second two processes relax, ours beside what ASE alone does in the same processes.

    python -m tests.benchmarks.lab.crystal_relaxations [CRYSTALS]

Both relax the volume of crystals as `emt_alloys` has them at their shape, by effective medium theory, until the slope
dE/dln(a) is below 1e-3 eV/atom: ours by `CrystalProperties` from crystal to measurement (element references, checks,
provenance, the crystal as it ended), ASE by LBFGS over a FrechetCellFilter that is let change the volume alone, atoms
fixed in the cell. Each process takes every second crystal, and turns from one to the other with each, so that load on
the machine falls on both alike. Bars: a ratio of at least 0.9, and 100 a second on two free cores (CPU seconds are told
too, for a machine that is not free).
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

import numpy as np

from protocols.wire.structure import CrystalStructure
from scenarios.world.emt_alloys import generate_structures
from simulators.crystals.catalogue import FORMATION_ENERGY
from simulators.crystals.crystal_properties import CrystalProperties
from simulators.crystals.shape_kept import SLOPE_TOLERANCE

PROCESSES: Final = 2
SEED: Final = 5


def by_ase(structure: CrystalStructure) -> float:
    """Relax the volume with ASE alone; return it [Å^3/atom]."""
    from ase.calculators.emt import EMT
    from ase.constraints import FixAtoms
    from ase.filters import FrechetCellFilter
    from ase.optimize import LBFGS

    atoms = structure.to_ase()
    atoms.calc = EMT()
    atoms.set_constraint(FixAtoms(range(len(atoms))))
    # The filter's force is the virial an atom in each of three directions: a third of the slope each.
    volume_alone = FrechetCellFilter(atoms, hydrostatic_strain=True)
    LBFGS(volume_alone, logfile=None).run(fmax=SLOPE_TOLERANCE / 3.0, steps=100)
    return float(atoms.get_volume()) / len(atoms)


def measure(structures: list[CrystalStructure]) -> tuple[float, float, float, float, float]:
    """Relax by both in turn; return wall and CPU seconds of ours, of ASE's, and the largest difference of volumes."""
    ours = CrystalProperties("emt")
    for each in structures[:8]:
        ours.measure(each, (FORMATION_ENERGY,))
        by_ase(each)
    seconds, apart = np.zeros(4), 0.0
    for each in structures:
        began = time.perf_counter(), time.process_time()
        volume = ours.measure(each, (FORMATION_ENERGY,)).quantities[1].value
        between = time.perf_counter(), time.process_time()
        plain = by_ase(each)
        ended = time.perf_counter(), time.process_time()
        seconds += (between[0] - began[0], between[1] - began[1], ended[0] - between[0], ended[1] - between[1])
        apart = max(apart, abs(volume / plain - 1.0))
    return float(seconds[0]), float(seconds[1]), float(seconds[2]), float(seconds[3]), apart


def main() -> None:
    """Print both rates and their ratio."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 210
    crystals = [each.structure for each in generate_structures(SEED, members_per_family=count // 7)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
        told = np.array(list(processes.map(measure, [crystals[place::PROCESSES] for place in range(PROCESSES)])))
    wall_ours, cpu_ours, wall_ase, cpu_ase = told[:, :4].sum(axis=0)
    size = sum(len(each.symbols) for each in crystals) / len(crystals)
    print(f"{len(crystals)} crystals of {size:.1f} atoms, volumes agree within {told[:, 4].max():.1e}")
    for name, wall, cpu in (("ours", wall_ours, cpu_ours), ("ASE alone", wall_ase, cpu_ase)):
        rate, free = PROCESSES * len(crystals) / wall, PROCESSES * len(crystals) / cpu
        print(f"{name:>10}: {rate:6.1f} a second by the clock, {free:6.1f} by CPU time")
    print(f"ratio: {wall_ase / wall_ours:.2f} by the clock, {cpu_ase / cpu_ours:.2f} by CPU time (bar: 0.9)")


if __name__ == "__main__":
    main()
